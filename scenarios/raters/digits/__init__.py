"""Ratings as digits that a language model says."""
