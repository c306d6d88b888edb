"""From raw answers to a noun dictionary of one site: store, scale, student, result."""
