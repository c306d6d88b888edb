"""Images and text to unit vectors to nouns. Knows no other room; publishable alone."""
