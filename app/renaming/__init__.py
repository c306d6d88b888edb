"""Stored events are named once more from their vectors, as a diff that can be taken back."""
