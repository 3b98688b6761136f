"""Errors in words: places, hints, suggestions."""
