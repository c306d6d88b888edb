"""Models by name: a local folder, or a repository of the model hub, read from its cache.

The network is asked only for what neither a folder nor the cache holds.
"""

import re
from pathlib import Path
from typing import Any

from huggingface_hub import constants, snapshot_download

from novic.embedder import EmbedderError, TokenIds

REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
"""How a hub id looks: owner/name."""
TOKENIZER = ("tokenizer.json", "spiece.model", "sentencepiece.bpe.model", "vocab.json", "vocab.txt")
"""One of these holds a tokenizer's vocabulary."""
MORE_IDS = 128
"""Ids beyond the text model's that a tokenizer may know: T5's has 100 extra ones that no text
contains."""
FEWER_IDS = 0.95
"""Share of the text model's ids that a tokenizer must know: CLIPA's has room for more."""
OPENAI_CACHE = Path("~/.cache/clip")
"""Where OpenAI's own program keeps the weights that it downloads."""
SMALL = ("*.json", "*.model", "merges.txt", "vocab.txt")
"""Configuration and tokenizer files, which are wanted whatever the weights are called."""


def model_folder(
    spec: str, name: str, config: str, weights: tuple[str, ...], instead: str = "FOLDER"
) -> Path:
    """The folder that holds a model's files; fetched from the hub if they lie nowhere here.

    Args:
        spec: The embedder it is for, named in errors.
        name: A local folder or a hub id, `owner/name`.
        config: File name of its configuration.
        weights: What its weights may be called, best first; patterns. In a local folder weights of
            any name count.
        instead: What the spec's kind takes when the files are brought by hand.

    Raises:
        EmbedderError: If there is no such folder, files are missing in it, or the hub does not
            answer.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        _require(spec, folder, config, ("*.safetensors", "*.bin", "*.pth"))
        return folder
    if name.startswith((".", "/", "~")):
        raise EmbedderError(f"embedder '{spec}': there is no folder {name}")
    if not REPOSITORY.fullmatch(name):
        raise EmbedderError(
            f"embedder '{spec}': '{name}' is neither a folder nor a hub id like owner/name"
        )
    cached = cached_folder(name)
    if cached and (cached / config).is_file() and _first(cached, weights):
        return cached
    return _fetch(spec, name, config, weights, instead)


def cached_folder(name: str) -> Path | None:
    """Where the hub's cache keeps a repository, whole or in part; None if it has nothing of it."""
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except OSError:
        return None


def tokenizer_folder(spec: str, folder: Path | None, name: str) -> Path:
    """Where a tokenizer lies: beside the model, or in the repository that its config names.

    Args:
        spec: The embedder it is for, named in errors.
        folder: The model's folder, if it has one.
        name: Hub id of the tokenizer.

    Raises:
        EmbedderError: If it is in neither place and the hub does not answer.
    """
    if folder and has_tokenizer(folder):
        return folder
    cached = cached_folder(name)
    if cached and has_tokenizer(cached):
        return cached
    try:
        fetched = Path(snapshot_download(name, allow_patterns=list(SMALL)))
    except Exception as error:
        place = f"into {folder}" if folder else f"of {name} into the hub's cache"
        raise EmbedderError(
            f"embedder '{spec}' lacks its tokenizer: put tokenizer.json and tokenizer_config.json "
            f"{place} ({name} is not in the hub's cache, and {reason(error)})"
        ) from error
    if not has_tokenizer(fetched):
        raise EmbedderError(f"embedder '{spec}': repository {name} holds no tokenizer")
    return fetched


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds the vocabulary of a tokenizer."""
    return any((folder / name).is_file() for name in TOKENIZER)


def special_ids(tokenizer: Any) -> TokenIds:  # noqa: ANN401
    """The special ids of a tokenizer of the hub's kind (novic_spec §4.2)."""
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    return TokenIds(
        vocabulary=tokenizer.vocab_size,
        start=start if start is not None else tokenizer.cls_token_id,
        end=end if end is not None else tokenizer.sep_token_id,
        pad=tokenizer.pad_token_id,
    )


def check_vocabulary(spec: str, known: int, expected: int) -> None:
    """Refuse the tokenizer of another model, which would give wrong vectors without a word.

    Args:
        spec: The embedder, named in the error.
        known: Tokens that the tokenizer knows.
        expected: Tokens that the text model knows; a few more or less are usual.

    Raises:
        EmbedderError: If they do not belong together.
    """
    if not FEWER_IDS * expected <= known <= expected + MORE_IDS:
        raise EmbedderError(
            f"embedder '{spec}' has the wrong tokenizer: it knows {known} tokens, the text model "
            f"{expected}; download the tokenizer's files again"
        )


def reason(error: BaseException) -> str:
    """An error's text as part of one sentence."""
    # Those of the hub and of torch go on for many lines; the first says what happened.
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]} …"


def _fetch(spec: str, name: str, config: str, weights: tuple[str, ...], instead: str) -> Path:
    try:
        folder = Path(snapshot_download(name, allow_patterns=list(SMALL)))
        for pattern in weights:
            # The first kind of weights that the repository has; never all of them.
            if not _first(folder, weights):
                snapshot_download(name, allow_patterns=[pattern])
    except Exception as error:
        raise EmbedderError(
            f"embedder '{spec}' is not in the hub's cache {constants.HF_HUB_CACHE} and cannot be "
            f"downloaded ({reason(error)}): on a machine that reaches the hub, download {config}, "
            f"{' or '.join(weights)} and the tokenizer's files of {name}, bring them here, and use "
            f"{spec.partition(':')[0]}:{instead}"
        ) from error
    _require(spec, folder, config, weights)
    return folder


def _require(spec: str, folder: Path, config: str, weights: tuple[str, ...]) -> None:
    if not (folder / config).is_file():
        kinds = {"config.json": "transformers", "open_clip_config.json": "openclip"}
        other = next((kind for file, kind in kinds.items() if (folder / file).is_file()), None)
        cure = f"did you mean {other}:{folder}?" if other else "download the whole model"
        raise EmbedderError(f"embedder '{spec}': {folder} holds no {config}; {cure}")
    if not _first(folder, weights):
        raise EmbedderError(
            f"embedder '{spec}': {folder} holds no weights ({', '.join(weights)}); download the "
            "whole model"
        )


def _first(folder: Path, patterns: tuple[str, ...]) -> Path | None:
    found = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
    return next(found, None)
