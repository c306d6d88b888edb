"""What can go wrong by the user's hand."""

from novic.errors import NomalyError


class UsageError(NomalyError):
    """What was asked for cannot be done as asked; the text says what to change."""

    exit_code = 2


class StoreError(NomalyError):
    """Results cannot be read or written; the text names the file and says why."""


class StoppedError(NomalyError):
    """The user stopped a command that has no result to show; the text says what was kept."""
