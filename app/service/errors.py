"""What can be wrong with a site."""

from novic.errors import UsageError


class SiteError(UsageError):
    """A site's file cannot be used as it is; the text says which file, line and key, and why."""
