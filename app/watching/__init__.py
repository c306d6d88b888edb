"""From frames to events: audit and watch."""
