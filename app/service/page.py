"""The page of a site, beside its cameras."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.service.config import SiteConfig
from app.service.door import guard_of
from app.service.service import SiteService
from app.service.serving import Companion


def page_of(config: SiteConfig, say: Callable[[str], None]) -> Companion:
    """What serves the page of a site while it is watched; nothing if its file names none.

    Args:
        config: The site's file, as it was at the start.
        say: Told where the page is.

    Raises:
        app.errors.UsageError: If others reach it and nothing keeps them out.
    """
    guard = None if config.page is None else guard_of(config.page)

    @contextmanager
    def companion(service: SiteService) -> Iterator[None]:
        if guard is None:
            yield
            return
        # Heavy: the cameras have begun by now.
        from app.web.serving import serve_beside, with_open_metrics  # noqa: PLC0415

        asked = with_open_metrics(guard) if config.metrics else guard
        with serve_beside(service.folder, service.board, asked, service) as opened:
            say(opened.told(link=sys.stderr.isatty()))
            yield

    return companion
