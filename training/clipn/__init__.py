"""Trains the "no" side of CLIPN."""
