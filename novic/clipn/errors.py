"""The fault of this package."""

from novic.errors import NomalyError


class ClipnError(NomalyError):
    """A CLIPN cannot be read, written or used; the text names the file or embedder and why."""

    exit_code = 4
