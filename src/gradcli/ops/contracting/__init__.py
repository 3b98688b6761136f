"""Einstein sums and products of several tensors."""
