"""Makes thresholds and verdict models."""
