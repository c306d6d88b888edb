"""The nomaly command."""
