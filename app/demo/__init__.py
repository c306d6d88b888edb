"""The demo: real photographs put together into footage of a place where things turn up."""
