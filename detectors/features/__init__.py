"""Networks that describe every cell of a picture."""
