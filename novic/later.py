"""An embedder that is built on a thread of its own, once other things go on."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from novic.embedder import Embedder, EmbedderError, Pixels, TokenIds, Vectors


class LaterEmbedder:
    """Stands in for an embedder until that is built; who needs it before waits for it."""

    def __init__(self, spec: str, width: int, build: Callable[[], Embedder]) -> None:
        """Prepare; `begin` builds it, or whoever needs it first.

        Args:
            spec: Its id.
            width: F, the number of components of its vectors.
            build: Builds it, ready for many images; called on the new thread.
        """
        self.spec, self.width = spec, width
        self._build = build
        self._built: Future[Embedder] = Future()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin to build it, if nobody has; never waits."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="embedder", daemon=True)
                self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether nobody waits for it any more.

        Raises:
            novic.errors.NomalyError: If it cannot be built.
        """
        return self._built.done() and bool(self._built.result())

    @property
    def token_ids(self) -> TokenIds:
        """See `Embedder.token_ids`."""
        return self._now().token_ids

    @property
    def end_id(self) -> int:
        """See `Embedder.end_id`."""
        return self._now().end_id

    def warm_up(self) -> None:
        """See `Embedder.warm_up`."""
        self._now().warm_up()

    def embed_images(self, images: Sequence[Pixels]) -> Vectors:
        """See `Embedder.embed_images`."""
        return self._now().embed_images(images)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed_texts`."""
        return self._now().embed_texts(texts)

    def clean_text(self, text: str) -> str:
        """See `Embedder.clean_text`."""
        return self._now().clean_text(text)

    def encode_noun(self, noun: str) -> list[int]:
        """See `Embedder.encode_noun`."""
        return self._now().encode_noun(noun)

    def identity(self) -> Mapping[str, Any]:
        """See `Embedder.identity`."""
        return self._now().identity()

    def _now(self) -> Embedder:
        self.begin()
        return self._built.result()

    def _work(self) -> None:
        try:
            built = self._build()
            if built.width != self.width:
                raise EmbedderError(
                    f"'{self.spec}' gives {built.width} components, but the decoder reads "
                    f"{self.width}: use the embedder that the decoder was trained for"
                )
        except BaseException as error:  # noqa: BLE001 - raised where it is asked for
            self._built.set_exception(error)
        else:
            self._built.set_result(built)
