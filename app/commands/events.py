"""`nomaly events`: what was told, found again, judged and named anew."""

from app.commands import (
    events_keep,
    events_list,
    events_rename,
    events_said,
    events_search,
    events_why,
    events_would,
)
from app.commands.events_group import cli

__all__ = [
    "cli",
    "events_keep",
    "events_list",
    "events_rename",
    "events_said",
    "events_search",
    "events_why",
    "events_would",
]
