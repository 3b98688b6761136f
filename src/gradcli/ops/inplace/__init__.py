"""Changes of tensors in place: histories, derived operators, writing, subscripts."""
