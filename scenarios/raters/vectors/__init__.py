"""Ratings from text vectors, without a language model."""
