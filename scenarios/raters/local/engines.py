"""Which way a local language model is run: in this process, or through its own server."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from scenarios.raters.local.llama import Llama
from scenarios.raters.local.llama_library import LibraryError
from scenarios.raters.local.llama_server import LlamaServer
from scenarios.raters.local.model_parts import QWEN_CODER
from scenarios.raters.local.wordings import QUESTION, Turn, cut

_CHECK_PLACE = "A workshop where bicycles are repaired."

KNOWN = {QWEN_CODER.sha256: {"screwdriver": 0.14, "crocodile": -3.57}}
"""By SHA-256 of a model: log-odds of two nouns at `_CHECK_PLACE`, recorded when it was chosen."""

TOLERANCE = 0.3
"""What processors and builds may change; a wrong layout of C structures changes far more."""


class Engine(Protocol):
    """A language model that can be asked yes or no."""

    name: str
    """Of its file."""
    sha256: str
    """Of its file, hexadecimal."""

    @property
    def how(self) -> str:
        """How it is run, which is part of what is asked."""
        ...

    def rendered(self, turns: Sequence[Turn], *, answering: bool) -> str:
        """Lay a conversation out; `answering` if the model's own turn begins after it."""
        ...

    def log_odds(
        self, prefix: str, endings: Sequence[str], taken: Callable[[int], None] | None = None
    ) -> list[float]:
        """Log-odds of yes against no after `prefix` and each ending; `taken` hears of tokens."""
        ...

    def close(self) -> None:
        """Free everything."""
        ...


def open_engine(model: Path, threads: int, warn: Callable[[str], None]) -> Engine:
    """Load a model, in this process if that gives the values that are known for it.

    Args:
        model: A GGUF file.
        threads: Of the processor.
        warn: Told in a sentence why the slower way is taken, if it is.

    Raises:
        RatingError: If the model cannot be loaded either way.
    """
    try:
        engine = Llama(model, threads)
    except LibraryError as error:
        warn(f"{error}. Until then nouns are asked through its server, which takes longer")
        return LlamaServer(model, threads)
    fault = departure(engine, KNOWN.get(engine.sha256, {}))
    if fault is None:
        return engine
    engine.close()
    warn(f"{fault}. Nouns are asked through xllamacpp's server instead, which takes longer")
    return LlamaServer(model, threads)


def departure(engine: Engine, known: Mapping[str, float]) -> str | None:
    """What an engine says otherwise than known.

    Args:
        engine: The engine.
        known: Log-odds of nouns; empty if none are known for its model.

    Returns:
        A sentence without its end, or None if all is within `TOLERANCE`.
    """
    if not known:
        return None
    turns = QUESTION.conversation(_CHECK_PLACE, [])
    prompt = cut(engine.rendered(turns, answering=True), QUESTION)
    found = engine.log_odds(prompt.prefix, [prompt.ending(noun) for noun in known])
    for (noun, value), got in zip(known.items(), found, strict=True):
        if not abs(got - value) <= TOLERANCE:
            return f"{engine.name} gives {got:.2f} for {noun!r} where {value:.2f} is known"
    return None
