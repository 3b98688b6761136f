"""How results are shown: PyTorch's tensor printing, JSON, graphs and formulas."""
