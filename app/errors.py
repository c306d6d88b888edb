"""What can go wrong by the user's hand."""


class UsageError(Exception):
    """What was asked for cannot be done as asked; the text says what to change."""


class StoreError(RuntimeError):
    """Results cannot be read or written; the text names the file and says why."""


class StoppedError(Exception):
    """The user stopped a command that has no result to show; the text says what was kept."""
