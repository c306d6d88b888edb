"""What a site is: its noun dictionary, its frequencies and its rules."""
