"""A place in one file, whole while it is written to, and back."""
