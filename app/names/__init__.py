"""Naming images, and judging the names."""
