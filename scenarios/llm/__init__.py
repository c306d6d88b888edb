"""Asking language models: requests, batches, costs, repairs."""
