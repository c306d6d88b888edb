"""What gpt_batch_api sees of a provider: nothing that it takes the wrong way."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO, Literal

import openai
from openai import OpenAI
from openai.types import Batch, FileObject

from scenarios.llm.cleaning import Cleaner
from scenarios.llm.faults import meaning, told
from scenarios.llm.transport import KEPT, EndpointError

PATIENCE_S = 120.0
"""Longest wait for an answer to a call."""


def explained(error: openai.OpenAIError, model: str, instead: str, clean: Cleaner) -> EndpointError:
    """Say what a call that failed means.

    Args:
        error: Of the client.
        model: Whom it was about.
        instead: How to do without a batch service.
        clean: Takes out what is not to be shown.
    """
    text = told(error, clean)
    what = meaning(error, text, PATIENCE_S)
    if what is None and isinstance(error, openai.NotFoundError):
        what = f"has no batch service at this address: {text}; check the address, or {instead}"
    what = what or f"refuses batches for {model}: {text}"
    return EndpointError(f"the provider {what}; {KEPT}")


class Provider:
    """Stands in for the client.

    Args:
        client: The real one.
        patience_s: How long the provider may be out of reach while batches are under way, seconds.
        folder: Of the library's files, for messages.
        check: Called at every look of the library at a batch; what it raises ends the waiting.
        poll: The provider is asked at one look of so many.
    """

    def __init__(
        self, client: OpenAI, patience_s: float, folder: Path, check: Callable[[], None], poll: int
    ) -> None:
        self.base_url = client.base_url
        self.files = _Files(client)
        self.batches = _Batches(client, patience_s, folder, check, poll)


class _Files:
    def __init__(self, client: OpenAI) -> None:
        self._client = client
        self.delete = client.files.delete
        self.read: Callable[[str, Callable[[str], str]], str] = lambda file, get: get(file)

    def content(self, file_id: str) -> SimpleNamespace:
        """A result file; the library would go on without it, and lose what is in it."""
        try:
            return SimpleNamespace(text=self.read(file_id, self._download))
        except openai.OpenAIError as error:
            raise EndpointError(f"the results of a batch cannot be fetched: {error}") from error

    def create(self, file: BinaryIO, purpose: Literal["batch"]) -> FileObject:
        """Upload a file; the library leaves it open."""
        with file:
            return self._client.files.create(file=file, purpose=purpose)

    def _download(self, file: str) -> str:
        try:
            return self._client.files.content(file).text
        except openai.NotFoundError:
            # Deleted by the provider after its time; what was in it has to be asked again.
            return ""


class _Batches:
    def __init__(
        self, client: OpenAI, patience_s: float, folder: Path, check: Callable[[], None], poll: int
    ) -> None:
        self._client = client
        self._check, self._poll = check, poll
        self._known: dict[str, tuple[int, Batch]] = {}
        """Batches as they stood, and for how many looks more that is good enough."""
        self._patience_s = patience_s
        self._folder = folder
        self._last_seen = time.monotonic()
        self.cancel = client.batches.cancel

    def create(self, *, metadata: dict[str, str], **asked: Any) -> Batch:  # noqa: ANN401
        """Send a batch, once: a repeated call whose first answer was lost would be paid twice."""
        once = self._client.with_options(max_retries=0)
        for attempt in itertools.count():
            try:
                return once.batches.create(metadata=metadata, **asked)
            except (openai.APIConnectionError, openai.InternalServerError):
                for batch in once.batches.list(limit=100):
                    if batch.metadata == metadata:
                        return batch
                if attempt >= self._client.max_retries:
                    raise
            time.sleep(0.5 * 2**attempt)
        raise AssertionError("counting never ends")

    def retrieve(self, batch_id: str) -> Batch:
        """How a batch stands; the library would ask for ever."""
        self._check()
        if (known := self._known.get(batch_id)) and known[0]:
            self._known[batch_id] = known[0] - 1, known[1]
            return known[1]
        try:
            batch = self._client.batches.retrieve(batch_id)
        except openai.NotFoundError as error:
            raise EndpointError(
                f"batch {batch_id} is not known there; it was sent to another address or with "
                f"another account: go on with that one, or delete {self._folder} to forget it"
            ) from error
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            raise
        except openai.OpenAIError as error:
            if time.monotonic() - self._last_seen > self._patience_s:
                raise EndpointError(f"the provider is out of reach: {error}") from error
            raise
        self._last_seen = time.monotonic()
        self._known[batch_id] = self._poll - 1, batch
        return batch
