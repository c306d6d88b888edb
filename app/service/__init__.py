"""A site: many cameras watched by one process, described in one file."""
