"""What programs find in modules: which there are, and one file for each of Python's."""
