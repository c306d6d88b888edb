"""Judging predicted nouns: by people on a local page, by language models, and the two compared."""
