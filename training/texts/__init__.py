"""Nouns and the texts about them that a decoder learns from."""
