"""Silence by meaning: a rule is proposed from one event, tried on the past, measured, kept."""
