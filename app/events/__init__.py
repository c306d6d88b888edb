"""Events, and the store that keeps them."""
