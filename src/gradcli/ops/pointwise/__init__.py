"""Functions of every element that formulas do not need: special functions, bounds, activations."""
