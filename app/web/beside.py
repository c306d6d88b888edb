"""What `nomaly watch` takes from the page, and shows on it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.events.zones import ZONES, saved_zones, take_up
from app.watching.board import Board
from detectors.zones import Zones


def drawn_zones(out: Path, asked: Zones, say: Callable[[str], None]) -> Zones:
    """The zones of a watch: those that it was asked for, or else what was drawn on the page.

    A run that goes on in the folder goes on with them.

    Args:
        out: Folder of the watch; it may not be there yet.
        asked: By the command or a site's file; none if that says nothing.
        say: Told in a sentence that drawn ones are taken.

    Raises:
        UsageError: If what was drawn cannot be used.
        app.errors.StoreError: If the store cannot be written.
    """
    drawn = None if asked != Zones() else saved_zones(out)
    if drawn is None:
        return asked
    count = len(drawn.include) + len(drawn.exclude)
    if take_up(out, drawn) or count:
        say(f"Zones: {count} of {out / ZONES}, as they were drawn on the page.")
    return drawn


@contextmanager
def shown_on(
    page: str | None, out: Path, board: Board, say: Callable[[str], None]
) -> Iterator[None]:
    """Show a watch on a page while entered; nothing without an address.

    Args:
        page: Where; None for nowhere.
        out: Folder of the store.
        board: What the watch shows itself on.
        say: Told the address.

    Raises:
        UsageError: If the address is none, cannot be listened on, or others reach it and nothing
            keeps them out.
    """
    if page is None:
        yield
        return
    # Heavy, and only for whoever asks for it.
    from app.web.serving import page_config, serve_beside  # noqa: PLC0415

    with serve_beside(out, board, page_config(page)) as opened:
        say(opened.told(link=sys.stderr.isatty()))
        yield
