"""Rows on values that remember their expression: derivatives as formulas.

`expressions` are formulas in a canonical form, `writing` lays them out as a textbook prints them
and measures them, `simplifying` looks for shorter ones, `operands` are the values that rows are
given, `rules` say what rows do to them, `derivatives` runs a trace, and the formulas of its rows
backwards.
"""
