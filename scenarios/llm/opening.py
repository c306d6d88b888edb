"""Who is asked: the endpoint and its key, from an option and the environment, and the way there.

The libraries are optional; they are loaded when something is to be asked.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novic.errors import UsageError
from scenarios.llm.costs import Prices

if TYPE_CHECKING:
    from scenarios.llm.batch import BatchTransport
    from scenarios.llm.direct import DirectTransport

KEY = "OPENAI_API_KEY"
"""Environment variable of the key; it is read from nowhere else and never shown."""
URL = "OPENAI_BASE_URL"
"""Environment variable of the endpoint, if none is named."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is asked."""

    model: str
    """Its name there."""
    url: str | None
    """Address up to and with /v1; None is OpenAI's."""
    key: str | None
    """Servers of one's own may need none."""


def find_endpoint(model: str, base_url: str | None) -> Endpoint:
    """The endpoint that is meant.

    Args:
        model: Its name at the endpoint.
        base_url: As it was typed; None means that of the environment, or OpenAI's.

    Raises:
        UsageError: If OpenAI is meant and there is no key.
    """
    key, url = os.environ.get(KEY) or None, base_url or os.environ.get(URL) or None
    if key is None and url is None:
        raise UsageError(
            f"{KEY} is not set; set the environment variable {KEY} to your key, or name a server "
            "of your own with --base-url"
        )
    return Endpoint(model, url, key)


def open_direct(
    model: str,
    base_url: str | None,
    **options: Any,  # noqa: ANN401 - those of DirectTransport
) -> "DirectTransport":
    """Ask a model at once.

    Raises:
        UsageError: If the key or a library is missing.
    """
    endpoint = find_endpoint(model, base_url)
    with _installed():
        from scenarios.llm.direct import DirectTransport  # noqa: PLC0415

        return DirectTransport(endpoint.model, endpoint.url, endpoint.key, **options)


def open_batches(
    folder: Path, model: str, base_url: str | None, prices: Prices, instead: str
) -> "BatchTransport":
    """Ask a model through its provider's batch service.

    Args:
        folder: For what is under way.
        model: Whom to ask.
        base_url: As `find_endpoint`.
        prices: Of the batch service.
        instead: How to do without one, for messages.

    Raises:
        UsageError: If the key or a library is missing.
    """
    endpoint = find_endpoint(model, base_url)
    with _installed():
        from scenarios.llm.batch import BatchTransport  # noqa: PLC0415

        return BatchTransport(
            folder, endpoint.model, endpoint.url, endpoint.key, prices, instead=instead
        )


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed; pip install 'nomaly[llm]'") from error
