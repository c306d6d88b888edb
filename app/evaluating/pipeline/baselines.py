"""The rivals that are built here, and what they name with, loaded when first asked for."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from app.evaluating.pipeline.meaning import Embed, Meanings
from app.evaluating.pipeline.namers import (
    Argmax,
    Cased,
    ClassWords,
    Dictionary,
    Look,
    Namer,
    Nearest,
    Voted,
)
from app.progress import Reporter
from novic.device import resolve_device
from novic.embedders.starter import StarterEmbedder, TextModel
from novic.model import ModelOptions, load_model, starter_bundle_path
from novic.upstream import read_model_file
from scenarios.raters.vectors.shipped import shipped_vectors
from scenarios.ratings.records import RatingError


@dataclass(frozen=True, slots=True)
class Baseline:
    """A rival that is built here."""

    boxes: str
    """What finds its boxes; empty for the same as ours."""
    names: str
    """What names them."""

    def label(self, ours: str) -> str:
        """What its row is called, where our own boxes are from such a detector."""
        return f"{self.boxes or KNOWN.get(ours, ours)} + {self.names}"


KNOWN = {"padim": "PaDiM", "mog2": "MOG2", "patchcore": "PatchCore"}
"""What detectors are called elsewhere."""
BASELINES = {
    "mog2": Baseline("MOG2", "argmax"),
    "argmax": Baseline("", "argmax"),
    "nearest": Baseline("", "nearest noun"),
    "cased": Baseline("", "CaSED"),
}
"""By the names that `--baseline` takes."""


class Namers:
    """Builds what names crops; models are loaded once, and only those that are asked for.

    Args:
        model: Decoder of the product; None for what Nomaly ships.
        device: Where models run.
        reporter: Told what of a list cannot be said.
        embed: Text model for the meaning of names; all-MiniLM-L6-v2 by default.
    """

    def __init__(
        self, model: Path | None, device: str, reporter: Reporter, embed: Embed | None = None
    ) -> None:
        self._model, self._device, self._reporter = model, resolve_device(device), reporter
        self._embed = embed
        self.meanings = Meanings(lambda texts: self.embed(texts))

    def ready(self) -> Self:
        """Load the text model and a decoder of one's own, without which nothing can be measured.

        Raises:
            novic.errors.NomalyError: If one is missing or damaged.
        """
        _ = self.embed
        if self._model is not None:
            read_model_file(self._model, self._device)
        return self

    def of(self, name: str, listed: tuple[str, ...]) -> Namer:
        """A namer by its baseline, or ours for any other name.

        Args:
            name: One of BASELINES, or else the product's own decoder.
            listed: Candidates that alone may be said; none for all that it knows.

        Raises:
            novic.errors.NomalyError: If a model or what it needs is missing, or no noun of the
                list can be said.
        """
        match name:
            case "mog2" | "argmax":
                return Argmax(self._look, self._class_words, listed)
            case "nearest":
                return Nearest(self._look, self._dictionary(listed))
            case "cased":
                return Cased(self._look, self._dictionary(listed))
            case _:
                return self._decoder(listed)

    @cached_property
    def embed(self) -> Embed:
        """The text model."""
        return self._embed or TextModel(self._device).embed

    @cached_property
    def _starter(self) -> StarterEmbedder:
        return StarterEmbedder(self._device)

    @cached_property
    def _look(self) -> Look:
        return Look(self._starter)

    @cached_property
    def _class_words(self) -> ClassWords:
        return ClassWords(self.meanings)

    def _decoder(self, listed: tuple[str, ...]) -> Voted:
        model = load_model(self._model, self._device, ModelOptions(guide=listed))
        guide = model.decoder.guide
        for text, why in guide.unknown if guide is not None else ():
            self._reporter.say(f"Candidate '{text}' {why}; the decoder leaves it out")
        return Voted(model, model.certainty)

    def _dictionary(self, listed: tuple[str, ...]) -> Dictionary:
        """The list, or the nouns that the product's own decoder can say."""
        if not listed:
            return self._all_nouns
        return self._vectors(listed)

    @cached_property
    def _all_nouns(self) -> Dictionary:
        bundle = read_model_file(self._model or starter_bundle_path(), self._device)
        return self._vectors(bundle.tokens.nouns)

    def _vectors(self, nouns: tuple[str, ...]) -> Dictionary:
        packed = shipped_vectors()
        if packed is None:
            raise RatingError("the shipped vectors of nouns are of another text model; reinstall")
        return Dictionary.of(nouns, packed, self.embed)
