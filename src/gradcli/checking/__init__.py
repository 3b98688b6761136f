"""Derivatives put to the proof: against differences of values, against claims and assertions."""
