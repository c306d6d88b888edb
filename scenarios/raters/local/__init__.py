"""A small language model on this machine."""
