"""Who rates nouns for a site: language models, near and far, and an offline prior."""
