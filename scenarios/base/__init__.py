"""The base noun dictionary, made from WordNet and word counts (scenarios_spec §5)."""
