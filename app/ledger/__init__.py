"""What came into a place and has not left it."""
