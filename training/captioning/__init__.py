"""Captions of nouns, written by a language model."""
