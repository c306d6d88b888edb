"""Measurements, each a script that prints a table and one JSON object."""
