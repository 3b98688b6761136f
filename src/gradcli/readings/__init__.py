"""Readings: what can be known of an evaluation beside its values, from the rows that it ran.

A reading is a file or a folder of its own that no row has to know.
"""
