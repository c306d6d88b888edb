"""What would have rung: another bar, zone or name, tried on what was stored."""
