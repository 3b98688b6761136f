"""Differentiate tensor expressions with PyTorch's semantics, from the command line or from Python."""
