"""CLIPN: a second text side that learns what a thing is not (Wang et al. 2023)."""
