"""Trains a site's decoder on texts alone, as upstream does: for embedders with a text encoder."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from novic.bundle import Bundle, load_bundle
from novic.decoder import DecoderConfig
from novic.digest import file_sha256
from novic.model import build_embedder
from scenarios.dictionary import ObjectDictionary, write_dictionary
from training.cached_data import open_training_data
from training.caches.cache import CARD
from training.caches.making import NounSource, cache_nouns
from training.caches.output import Making
from training.loop import train
from training.loop_config import Report, RunOptions
from training.presets import PRESETS
from training.texts.multisets import DEFAULT_REPEATS


@dataclass(frozen=True, slots=True)
class TextSettings:
    """How a decoder is trained on texts."""

    preset: str = "small"
    """Of `training.presets`."""
    epochs: int | None = None
    """None for the preset's."""
    multiset: tuple[int, ...] = DEFAULT_REPEATS
    """Sets of texts about one noun, two and three: scenarios are trained on these alone, without
    captions (novic_spec §1.9)."""
    prompts: Path | None = None
    """A prompts.json; None for the one that Nomaly ships."""

    def as_json(self) -> Mapping[str, Any]:
        """What decides the result; prompts by their content."""
        said = asdict(self)
        said["multiset"] = list(self.multiset)
        said["prompts"] = file_sha256(self.prompts) if self.prompts else None
        return said


def train_on_texts(
    dictionary: ObjectDictionary,
    embedder: str,
    settings: TextSettings,
    seed: int,
    work: Path,
    device: torch.device,
    report: Report,
) -> Bundle:
    """Embed a dictionary's texts and train on them; goes on with what the folder holds.

    Args:
        dictionary: Thresholded.
        embedder: Its spec.
        settings: Texts and training.
        seed: Of all chance.
        work: Folder for the cache and the checkpoint.
        device: Where embedder and decoder run.
        report: Told of progress; if it raises KeyboardInterrupt, what is finished is kept.

    Raises:
        EmbedderError: If the embedder cannot be built here.
        PromptError: If the prompts cannot be used.
        CacheError: If the cache cannot be written.
        TrainingError: If the training cannot go on.
        TrainingStopped: If it was stopped, after a checkpoint.
    """
    file, cache, out = work / "object_nouns.json", work / "texts", work / "decoder"
    write_dictionary(file, dictionary)
    if not (cache / CARD).is_file():
        source = NounSource(file, prompts=settings.prompts, multiset=settings.multiset)
        making = Making(cache, report, seed=seed, vectors="int8")
        cache_nouns(source, lambda: build_embedder(embedder, device), making)
    preset = PRESETS[settings.preset]
    config = replace(preset.config, seed=seed, epochs=settings.epochs or preset.config.epochs)
    data = open_training_data(cache, lambda spec: build_embedder(spec, device))
    resized: dict[str, Any] = dict(preset.sizes)
    sizes = DecoderConfig(
        data.source.width, data.tokens.vocabulary, data.tokens.max_tokens, **resized
    )
    stop = _Stop(report)
    options = RunOptions(report=stop.report, stopping=lambda: stop.asked)
    train(data, sizes, config, out, device=device, options=options)
    return load_bundle(out)


class _Stop:
    """Turns a KeyboardInterrupt out of a progress report into a stop after a checkpoint."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.asked = False

    def report(self, stage: str, done: int, total: int, note: str) -> None:
        """Pass progress on."""
        try:
            self._report(stage, done, total, note)
        except KeyboardInterrupt:
            self.asked = True
