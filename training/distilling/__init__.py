"""Decoders for the starter embedder, taught by its own answers."""
