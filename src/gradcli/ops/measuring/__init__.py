"""Statistics, distances, differences and Fourier transforms."""
