"""Truncated power series through the rows of a trace: derivatives of any order in one pass."""
