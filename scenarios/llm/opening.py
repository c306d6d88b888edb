"""Who is asked: the endpoint and its key, from an option and the environment, and the way there.

The libraries are optional; they are loaded when something is to be asked.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from novic.errors import UsageError
from novic.extras import needing
from scenarios.llm.cleaning import shown_endpoint
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
    with needing("a language model behind an address"):
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
    with needing("a language model behind an address"):
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
    if url is not None:
        _check_address(url, key)
    return url, key


def _check_address(url: str, key: str | None) -> None:
    """See that an address can be asked, and with what.

    Raises:
        UsageError: If it is not whole, or names a login beside the key.
    """
    shown = shown_endpoint(url)
    if not _is_whole(url):
        raise UsageError(
            f"--base-url {shown}: write the whole address, as http://localhost:8000/v1; in a "
            "login everything but letters and digits has to be percent-encoded"
        )
    if "@" in url and key is not None:
        raise UsageError(
            f"--base-url {shown}: its login and the key of {KEY} cannot both be sent; unset {KEY}, "
            "or leave the login out"
        )


def _is_whole(url: str) -> bool:
    """Whether it is an address as clients take it apart; an `@` ends a login and nothing else."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and "@" not in parts.path + parts.query + parts.fragment
