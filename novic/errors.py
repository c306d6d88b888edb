"""The root of all faults that Nomaly expects."""

from typing import ClassVar


class NomalyError(Exception):
    """A fault that was expected: its text says what is wrong, where, and what to do.

    The command line shows the text alone and exits with `exit_code`: 1 a fault met while working,
    2 a misuse, 3 a camera that cannot be reached, 4 a missing or unusable model.
    """

    exit_code: ClassVar[int] = 1


class UsageError(NomalyError):
    """What was asked for cannot be done as asked; the text says what to change."""

    exit_code = 2
