"""The first file of a site."""
