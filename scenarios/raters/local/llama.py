"""Log-odds of yes against no for many nouns at once, by llama.cpp in this process.

The prefix that all nouns share is read once, in sequence 0 of the context. Each noun then gets a
sequence of its own that goes on from there, and one pass reads the endings of many nouns together:
the weights, which are what a pass over a few tokens waits for, are read once for all of them
(scenarios_spec §3.4).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from novic.digest import file_sha256
from scenarios.raters.local.llama_library import Library, load_library
from scenarios.raters.local.wordings import Turn
from scenarios.ratings.records import RatingError

CONTEXT = 4096
"""Tokens that a prefix and the endings after it may take together."""

BATCH = 512
"""Tokens of one pass."""

SEQUENCES = 96
"""Nouns of one pass."""

CHATML = "chatml"
"""llama.cpp's name of the chat layout that is used where it does not know the model's own."""

YES = ("yes", "Yes", "YES", " yes", " Yes", " YES")
NO = ("no", "No", "NO", " no", " No", " NO")


class Llama:
    """A language model in this process. Close it to free its memory."""

    how = f"llama.cpp in process, {SEQUENCES} nouns a pass"
    """Values of other ways differ a little, so what is asked this way is a question of its own."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load a model.

        Args:
            path: A GGUF file.
            threads: Of the processor.

        Raises:
            RatingError: If the file cannot be read or is no model that answers yes or no.
            LibraryError: If llama.cpp cannot be called in this process.
        """
        self._library: Library = load_library()
        self._ffi, self._c = self._library.ffi, self._library.functions
        self.name, self.sha256 = path.name, sha256_of(path)
        self._model: Any = self._load(path)
        self._context: Any = None
        try:
            self._context = self._make_context(path, threads)
            self._memory = self._c.llama_get_memory(self._context)
            self._vocabulary = self._c.llama_model_get_vocab(self._model)
            self._yes, self._no = self._answers(YES), self._answers(NO)
        except BaseException:
            self.close()
            raise
        self._batch = self._c.llama_batch_init(BATCH, 0, 1)
        self._prefix: str | None = None
        self._prefix_tokens = 0

    def close(self) -> None:
        """Free everything."""
        if self._context:
            self._c.llama_free(self._context)
        if self._model:
            self._c.llama_model_free(self._model)
        if hasattr(self, "_batch"):
            self._c.llama_batch_free(self._batch)
            del self._batch
        self._context = self._model = None

    def rendered(self, turns: Sequence[Turn], *, answering: bool) -> str:
        """Lay a conversation out as the model knows it, or as ChatML if llama.cpp cannot.

        Args:
            turns: The messages.
            answering: Whether the beginning of the model's own turn follows.
        """
        texts = [
            (self._ffi.new("char[]", role.encode()), self._ffi.new("char[]", text.encode()))
            for role, text in turns
        ]
        chat = self._ffi.new("struct llama_chat_message[]", texts)
        own = self._c.llama_model_chat_template(self._model, self._ffi.NULL)
        for template in (own, self._ffi.new("char[]", CHATML.encode())):
            size = 1024 + 2 * sum(len(turn.text.encode()) for turn in turns)
            buffer = self._ffi.new("char[]", size)
            made = (
                self._c.llama_chat_apply_template(
                    template, chat, len(texts), answering, buffer, size
                )
                if template
                else -1
            )
            if 0 <= made <= size:
                return self._ffi.buffer(buffer, made)[:].decode()
        raise RatingError(f"{self.name}: its chat layout cannot be made")

    def log_odds(
        self, prefix: str, endings: Sequence[str], taken: Callable[[int], None] | None = None
    ) -> list[float]:
        """How much more likely yes is than no as what follows each text.

        Args:
            prefix: What all texts begin with. Reading it costs most of the time of the first call;
                later calls with the same one go on from there.
            endings: The rest of each text.
            taken: Told how many tokens were read in all.

        Returns:
            Natural logarithms of P(yes) / P(no), over all spellings of both words.

        Raises:
            RatingError: If the texts are too long, or the model gives no numbers.
        """
        if prefix != self._prefix:
            self._read_prefix(prefix)
        tokens = [self._tokens(ending, begins=False) for ending in endings]
        values: list[float] = []
        for group in _passes(tokens):
            values += self._pass(group)
        if taken is not None:
            taken(sum(map(len, tokens)))
        return values

    def token_count(self, text: str) -> int:
        """Number of tokens of a text."""
        return len(self._tokens(text, begins=False))

    def _load(self, path: Path) -> Any:  # noqa: ANN401
        params = self._c.llama_model_default_params()
        params.n_gpu_layers = 0
        model = self._c.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            raise RatingError(
                f"{path}: llama.cpp cannot load it: {self._library.last_said()}. It must be a "
                "whole GGUF file of a language model"
            )
        return model

    def _make_context(self, path: Path, threads: int) -> Any:  # noqa: ANN401
        params = self._c.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = CONTEXT, BATCH, BATCH
        params.n_seq_max, params.kv_unified = SEQUENCES + 1, True
        params.n_threads = params.n_threads_batch = threads
        context = self._c.llama_init_from_model(self._model, params)
        if not context:
            raise RatingError(f"{path}: cannot be used: {self._library.last_said()}")
        return context

    def _answers(self, spellings: Sequence[str]) -> list[int]:
        """Tokens of an answer: of its spellings, those that are a token each."""
        found = {
            tokens[0]
            for tokens in (self._tokens(word, begins=False) for word in spellings)
            if len(tokens) == 1
        }
        if not found:
            raise RatingError(
                f"{self.name}: has no token for the word {spellings[0]}, so it cannot be asked; "
                "use another model"
            )
        return sorted(found)

    def _tokens(self, text: str, *, begins: bool) -> list[int]:
        """Tokens of a text; `begins` if nothing is before it."""
        raw = text.encode()
        room = len(raw) + 8
        tokens = self._ffi.new("llama_token[]", room)
        count = self._c.llama_tokenize(self._vocabulary, raw, len(raw), tokens, room, begins, True)
        if count < 0:
            raise RatingError(f"{self.name}: cannot read the text {text[:60]!r}")
        return list(tokens[0:count])

    def _read_prefix(self, prefix: str) -> None:
        tokens = self._tokens(prefix, begins=True)
        most = CONTEXT - BATCH
        if len(tokens) > most:
            raise RatingError(
                f"the site's description and examples take {len(tokens):,} tokens and {most:,} fit:"
                " shorten the description or give fewer examples"
            )
        self._prefix = None
        self._c.llama_memory_clear(self._memory, True)
        for begin in range(0, len(tokens), BATCH):
            self._fill([(0, begin, tokens[begin : begin + BATCH])])
            self._decode()
        for sequence in range(1, SEQUENCES + 1):
            self._c.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)
        self._prefix, self._prefix_tokens = prefix, len(tokens)

    def _pass(self, endings: Sequence[Sequence[int]]) -> list[float]:
        """Log-odds after the prefix and each of a few endings, read together."""
        ends = self._fill(
            [
                (sequence, self._prefix_tokens, tokens)
                for sequence, tokens in enumerate(endings, start=1)
            ]
        )
        try:
            self._decode()
            return [self._log_odds_at(end) for end in ends]
        finally:
            for sequence in range(1, len(endings) + 1):
                self._c.llama_memory_seq_rm(self._memory, sequence, self._prefix_tokens, -1)

    def _fill(self, parts: Sequence[tuple[int, int, Sequence[int]]]) -> list[int]:
        """Put texts into the batch.

        Args:
            parts: For each its sequence, the position of its first token, and its tokens.

        Returns:
            The place of each one's last token, after which the next one is predicted.
        """
        batch, place, ends = self._batch, 0, []
        for sequence, begin, tokens in parts:
            for position, token in enumerate(tokens, start=begin):
                batch.token[place], batch.pos[place] = token, position
                batch.n_seq_id[place], batch.seq_id[place][0] = 1, sequence
                batch.logits[place] = 0
                place += 1
            ends.append(place - 1)
            batch.logits[place - 1] = 1
        batch.n_tokens = place
        return ends

    def _decode(self) -> None:
        if self._c.llama_decode(self._context, self._batch):
            self._prefix = None
            raise RatingError(f"{self.name}: stopped computing: {self._library.last_said()}")

    def _log_odds_at(self, place: int) -> float:
        logits = self._c.llama_get_logits_ith(self._context, place)
        size = self._c.llama_vocab_n_tokens(self._vocabulary)
        row = np.frombuffer(self._ffi.buffer(logits, 4 * size), np.float32)
        value = _log_sum(row[self._yes]) - _log_sum(row[self._no])
        if not math.isfinite(value):
            raise RatingError(f"{self.name}: gives numbers that are none; the file may be damaged")
        return value


def sha256_of(path: Path) -> str:
    """SHA-256 of a model file, in hex.

    Raises:
        RatingError: If it cannot be read.
    """
    try:
        return file_sha256(path)
    except OSError as error:
        raise RatingError(
            f"{path}: cannot be read: {error.strerror}. `nomaly scenario llm fetch` fetches a model"
        ) from error


def _passes(texts: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    """Texts in groups that fit one pass, in their order.

    Raises:
        RatingError: If one does not fit.
    """
    group: list[Sequence[int]] = []
    size = 0
    for tokens in texts:
        if not 0 < len(tokens) <= BATCH:
            raise RatingError(f"a text of {len(tokens):,} tokens cannot be asked for")
        if group and (size + len(tokens) > BATCH or len(group) == SEQUENCES):
            yield group
            group, size = [], 0
        group.append(tokens)
        size += len(tokens)
    if group:
        yield group


def _log_sum(values: np.ndarray) -> float:
    """Logarithm of the sum of exponentials."""
    highest = float(values.max())
    return highest + math.log(float(np.exp(values.astype(np.float64) - highest).sum()))
