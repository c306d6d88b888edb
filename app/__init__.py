"""Runs everything: sources, pipeline, events, reports and commands. Nobody imports app."""
