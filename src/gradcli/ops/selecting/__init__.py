"""Choosing elements: by order, by mask, by index; counting and quantiles."""
