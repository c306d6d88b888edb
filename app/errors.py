"""What can go wrong by the user's hand."""

from novic.errors import NomalyError, UsageError

__all__ = [
    "FeedbackError",
    "InUseError",
    "PicturesError",
    "StoppedError",
    "StoreError",
    "UsageError",
]


class FeedbackError(NomalyError):
    """What people said of events cannot be read or written; the text names the file and why."""


class InUseError(UsageError):
    """Another process writes into the folder of a run; the text says which one."""


class StoreError(NomalyError):
    """Results cannot be read or written; the text names the file and says why."""


class PicturesError(StoreError):
    """The pictures of an event cannot be written; what is told of it may still be kept."""


class StoppedError(NomalyError):
    """The user stopped a command that has no result to show; the text says what was kept."""
