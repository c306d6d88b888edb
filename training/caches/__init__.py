"""Embedding caches: vectors of texts and images with their nouns, ours and upstream's."""
