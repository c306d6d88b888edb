"""What requests cost: their tokens, counted without the internet, and prices.

tiktoken fetches its vocabularies from the internet when it first counts. The same files lie in the
package bpe-openai; they are copied to where tiktoken looks first, after their hash was seen to be
the one that tiktoken knows, because it deletes every other (scenarios_spec §1.7).
"""

import gzip
import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from novic.whole_files import write_whole

PACKAGE = "bpe-openai"
O200K = "o200k_base"
"""Vocabulary of gpt-4o and everything after it; near enough for everybody else's models."""
CHARACTERS_A_TOKEN = 4.0
"""Measured on our requests with o200k_base, schema left out (benchmarks/rating_cost.py)."""
IMAGE_TOKENS = 85
"""Of an image in low detail, at OpenAI's larger models."""
MESSAGE_TOKENS = 4
"""What a message takes beside its text, and what the start of the answer takes."""


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    name: str
    file: str
    """SHA-1 of the address that tiktoken fetches it from."""
    sha256: str


VOCABULARIES = (
    _Vocabulary(
        O200K,
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    _Vocabulary(
        "cl100k_base",
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
)
"""All that models of today are counted with; the first is needed, the others taken where found."""


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million tokens."""

    tokens_in: float
    tokens_out: float

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """USD for so many."""
        return (self.tokens_in * tokens_in + self.tokens_out * tokens_out) / 1e6

    def in_batches(self) -> "Prices":
        """What the same costs through the batch service."""
        return Prices(BATCH_DISCOUNT * self.tokens_in, BATCH_DISCOUNT * self.tokens_out)


DIRECT_PRICES = Prices(0.15, 0.60)
"""Of gpt-4o-mini, asked one by one."""
BATCH_DISCOUNT = 0.5
"""What batches cost of the price of direct requests."""


def ensure_vocabulary(folder: Path) -> Path | None:
    """Put tiktoken's vocabularies into a folder for TIKTOKEN_CACHE_DIR.

    Args:
        folder: Made if there is none. Files in it that are right are left.

    Returns:
        The folder, or None if o200k_base is to be found nowhere on this machine.

    Raises:
        OSError: If the folder cannot be written.
    """
    found = None
    for vocabulary in VOCABULARIES:
        target = folder / vocabulary.file
        if target.exists() and _is(target.read_bytes(), vocabulary):
            data = None
        elif (data := _packed(vocabulary) or _cached(vocabulary)) is None:
            continue
        if data is not None:
            _put(target, data)
        if vocabulary.name == O200K:
            found = folder
    return found


@dataclass(frozen=True, slots=True)
class TokenCounter:
    """Counts tokens of texts."""

    count: Callable[[str], int]
    exact: bool
    """Whether it counts with o200k_base; else it divides the number of characters."""

    def request(self, body: Mapping[str, Any]) -> int:
        """Tokens of a chat completion's body: its messages, and its schema worded as a type.

        How a provider words a schema for its model is its secret; this is what is known of the
        largest one (scenarios_spec §3.3).
        """
        return self._messages(body) + self.count(_type_text(_schema(body)))

    def longest_request(self, body: Mapping[str, Any]) -> int:
        """The same with the schema worded as JSON, its longest form by far."""
        return self._messages(body) + self.count(_compact(_schema(body)))

    def _messages(self, body: Mapping[str, Any]) -> int:
        contents = [message["content"] for message in body["messages"]]
        return sum(map(self._content, contents)) + MESSAGE_TOKENS * (len(contents) + 1)

    def _content(self, content: str | Sequence[Mapping[str, Any]]) -> int:
        """Tokens of a message's text, or of its parts: texts and images in low detail."""
        if isinstance(content, str):
            return self.count(content)
        return sum(
            self.count(part["text"]) if part["type"] == "text" else IMAGE_TOKENS for part in content
        )


_APPROXIMATE = TokenCounter(lambda text: round(len(text) / CHARACTERS_A_TOKEN), exact=False)


@cache
def token_counter() -> TokenCounter:
    """Of this machine: exact if there are tiktoken and a vocabulary, else approximate."""
    try:
        import tiktoken  # noqa: PLC0415 - an optional library; estimates do without
    except ImportError:
        return _APPROXIMATE
    with tempfile.TemporaryDirectory() as folder:
        if ensure_vocabulary(Path(folder)) is None:
            return _APPROXIMATE
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        os.environ["TIKTOKEN_CACHE_DIR"] = folder
        try:
            encoding = tiktoken.get_encoding(O200K)
        finally:
            if before is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = before
    return TokenCounter(lambda text: len(encoding.encode_ordinary(text)), exact=True)


def usd(low: float, high: float | None = None) -> str:
    """A sum or a range of sums as people read them; little is not shown as nothing."""
    words = ["less than 0.01" if 0 < cost < 0.01 else f"{cost:,.2f}" for cost in (low, high or low)]
    return f"{' to '.join(dict.fromkeys(words))} USD"


def highest_cost(body: Mapping[str, Any], prices: Prices, counter: TokenCounter) -> float:
    """The most that a request can cost, USD: its tokens, and all that it allows for the answer."""
    room = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    return prices.cost(counter.longest_request(body), room)


def _packed(vocabulary: _Vocabulary) -> bytes | None:
    """From the package's files, without loading the package."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == f"{vocabulary.name}.tiktoken.gz":
            try:
                data = gzip.decompress(Path(str(file.locate())).read_bytes())
            except (OSError, EOFError):
                return None
            return data if _is(data, vocabulary) else None
    return None


def _cached(vocabulary: _Vocabulary) -> bytes | None:
    """From the folder that the user or tiktoken keeps."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR") or Path(tempfile.gettempdir(), "data-gym-cache")
    try:
        data = (Path(folder) / vocabulary.file).read_bytes()
    except OSError:
        return None
    return data if _is(data, vocabulary) else None


def _is(data: bytes, vocabulary: _Vocabulary) -> bool:
    return hashlib.sha256(data).hexdigest() == vocabulary.sha256


def _put(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Several processes may find the vocabulary missing at once.
    own = target.with_name(f"{target.name}.{os.getpid()}")
    write_whole(own, data)
    own.replace(target)


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return body.get("response_format", {}).get("json_schema", {})


def _type_text(schema: Mapping[str, Any]) -> str:
    """Name and type of every property on a line."""
    properties = schema.get("schema", {}).get("properties", {})
    return "\n".join(f"{name}: {value.get('type')}," for name, value in properties.items())


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
