"""The page of a watch or a site, and its API."""
