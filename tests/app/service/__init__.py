"""Sites of many cameras."""
