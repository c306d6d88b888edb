"""Scores of the unknown: how unlike what is known a picture is, higher is more unknown."""
