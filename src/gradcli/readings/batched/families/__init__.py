"""Rules by families of rows."""
