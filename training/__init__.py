"""Makes decoder bundles."""
