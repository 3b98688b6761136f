"""Normalization, dropout, embedding and attention."""
