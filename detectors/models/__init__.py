"""The detectors themselves."""
