"""The fault of this package."""

from novic.errors import NomalyError


class TagoodError(NomalyError):
    """A TagOOD cannot be read, written or used; the text names the file or tagger and why."""

    exit_code = 4
