"""What programs can reach, and how much they may use."""
