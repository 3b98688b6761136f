"""Array work on NumPy and SciPy that knows neither rows nor tensors."""
