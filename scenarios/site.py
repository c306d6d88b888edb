"""A scenario: one site in a folder, with what its author says about it."""


class ScenarioError(RuntimeError):
    """A scenario cannot be used as it is; the text says which file, line and key, and why."""
