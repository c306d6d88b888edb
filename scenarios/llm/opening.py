"""Who is asked: the endpoint and its key, from an option and the environment, and the way there.

The libraries are optional; they are loaded when something is to be asked.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
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


def open_direct(
    model: str,
    base_url: str | None,
    **options: Any,  # noqa: ANN401 - those of DirectTransport
) -> "DirectTransport":
    """Ask a model at once.

    Args:
        model: Its name at the endpoint.
        base_url: As it was typed; None means that of the environment, or OpenAI's.
        options: Of `DirectTransport`.

    Raises:
        UsageError: If the key or a library is missing.
    """
    url, key = _endpoint(base_url)
    with _installed():
        from scenarios.llm.direct import DirectTransport  # noqa: PLC0415

        return DirectTransport(model, url, key, **options)


def open_batches(
    folder: Path,
    model: str,
    base_url: str | None,
    prices: Prices,
    **options: Any,  # noqa: ANN401 - those of BatchTransport
) -> "BatchTransport":
    """Ask a model through its provider's batch service.

    Args:
        folder: For what is under way.
        model: Whom to ask.
        base_url: As `open_direct`.
        prices: Of the batch service.
        options: Of `BatchTransport`.

    Raises:
        UsageError: If the key or a library is missing.
    """
    url, key = _endpoint(base_url)
    with _installed():
        from scenarios.llm.batch import BatchTransport  # noqa: PLC0415

        return BatchTransport(folder, model, url, key, prices, **options)


def _endpoint(base_url: str | None) -> tuple[str | None, str | None]:
    """Address and key of the endpoint that is meant; without an address it is OpenAI's.

    Raises:
        UsageError: If OpenAI is meant and there is no key, or the address is not whole.
    """
    key, url = os.environ.get(KEY) or None, base_url or os.environ.get(URL) or None
    if key is None and url is None:
        raise UsageError(
            f"{KEY} is not set; set the environment variable {KEY} to your key, or name a server "
            "of your own with --base-url"
        )
    if url is not None and not url.startswith(("http://", "https://")):
        raise UsageError(f"--base-url {url}: write the whole address, as http://localhost:8000/v1")
    return url, key


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed; pip install 'nomaly[llm]'") from error
