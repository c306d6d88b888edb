"""Trains the projector and the centres of TagOOD."""
