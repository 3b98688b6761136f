"""Tensors made from nothing, from data and at random; conversions, copies, queries."""
