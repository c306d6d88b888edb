"""The vectors of the base dictionary's nouns that come with Nomaly, so that nobody waits for them.

Four texts a noun (`scenarios.raters.vectors.texts`), 384 numbers each, would be 75 MB as int8. The
texts of a noun are alike, so its 1,536 numbers are turned into their principal components (Jolliffe
2002, "Principal Component Analysis") and the first of them kept, as int8 of one step for all: what
varies little takes few levels and packs well. `benchmarks/README.md` has what that costs.

    codes int8 [N, K], step float32 [1], basis float16 [K, 1536], mean float32 [1536]
    plural bool [N]         nouns without a singular, whose texts have no article
    axes float16 [A, 384]   texts of `scenarios.raters.vectors.axes`, as they are
    metadata: format, nouns, axes, texts_sha256, text_model_sha256, sha256

It is used only if it was made from the very texts and text model that are asked for.
`python -m scenarios.raters.vectors.packing` makes it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from novic.embedder import Vectors
from novic.embedders.starter import TEXT_SHA256, WIDTH
from novic.whole_files import write_whole
from scenarios.raters.vectors.texts import texts_of
from scenarios.ratings.records import RatingError

FORMAT = "1"
FILE = Path(str(files("scenarios"))) / "data" / "noun_vectors.safetensors"

ROWS = 4096
"""Nouns that are unpacked at once."""


@dataclass(frozen=True, eq=False)
class PackedVectors:
    """Vectors of nouns and of the prior's own texts, packed."""

    nouns: tuple[str, ...]
    plural: NDArray[np.bool_]
    """Which have no singular [N]."""
    codes: NDArray[np.int8]
    """Components of each noun, in steps [N, K]."""
    step: float
    basis: NDArray[np.float16]
    """Components [K, T x 384] for T texts a noun."""
    mean: NDArray[np.float32]
    """[T x 384]."""
    axes: Mapping[str, NDArray[np.float16]]
    """Vector [384] of each of the prior's own texts."""

    @cached_property
    def rows(self) -> Mapping[tuple[str, ...], int]:
        """Row by the texts of a noun."""
        return {tuple(texts): row for row, texts in enumerate(self._texts())}

    @property
    def texts_sha256(self) -> str:
        """Of all texts that were embedded."""
        return _texts_sha256([*self.axes, *(text for texts in self._texts() for text in texts)])

    def vectors(self, rows: Sequence[int]) -> Vectors:
        """Unit vectors of the texts of some nouns, float32 [R, T, 384]."""
        found = np.empty((len(rows), self.mean.size // WIDTH, WIDTH), dtype=np.float32)
        basis = self.basis.astype(np.float32) * self.step
        for start in range(0, len(rows), ROWS):
            chosen = self.codes[list(rows[start : start + ROWS])].astype(np.float32)
            part = (chosen @ basis + self.mean).reshape(len(chosen), -1, WIDTH)
            found[start : start + ROWS] = part / np.linalg.norm(part, axis=2, keepdims=True)
        return found

    def _texts(self) -> Iterable[list[str]]:
        return (
            texts_of(noun, singular=not plural)
            for noun, plural in zip(self.nouns, self.plural.tolist(), strict=True)
        )


def pack(vectors: Vectors, components: int) -> dict[str, NDArray[Any]]:
    """The components of vectors, as the file holds them.

    Args:
        vectors: Unit vectors of the texts of each noun [N, T, 384].
        components: K.
    """
    flat = vectors.reshape(len(vectors), -1).astype(np.float32)
    mean = flat.mean(axis=0)
    flat = flat - mean
    # In float64: the smallest components would drown in rounding.
    spread = flat.T.astype(np.float64) @ flat
    basis = np.linalg.eigh(spread)[1][:, ::-1][:, :components].T.astype(np.float16)
    found = flat @ basis.astype(np.float32).T
    step = float(np.abs(found).max()) / 127
    return {
        "codes": np.rint(found / step).astype(np.int8),
        "step": np.array([step], dtype=np.float32),
        "basis": np.ascontiguousarray(basis),
        "mean": mean,
    }


def write_packed(
    file: Path, nouns: Sequence[str], axes: Sequence[str], tensors: Mapping[str, NDArray[Any]]
) -> None:
    """Write the file.

    Args:
        file: Where.
        nouns: Target nouns [N].
        axes: The prior's own texts [A].
        tensors: All that the file holds.

    Raises:
        OSError: If it cannot be written.
    """
    texts = [
        text
        for noun, plural in zip(nouns, tensors["plural"].tolist(), strict=True)
        for text in texts_of(noun, singular=not plural)
    ]
    metadata = {
        "format": FORMAT,
        "nouns": json.dumps(list(nouns)),
        "axes": json.dumps(list(axes)),
        "texts_sha256": _texts_sha256([*axes, *texts]),
        "text_model_sha256": TEXT_SHA256,
    }
    metadata["sha256"] = _checksum(metadata, tensors)
    write_whole(file, save(dict(tensors), metadata))


@cache
def shipped_vectors(file: Path = FILE) -> PackedVectors | None:
    """What comes with Nomaly; None if it was made from other texts or by another text model.

    Raises:
        RatingError: If the file is missing or damaged.
    """
    try:
        with safe_open(file, "np") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        told = metadata.pop("sha256")
        if _checksum(metadata, tensors) != told:
            raise RatingError(f"{file}: damaged, its checksum differs; install Nomaly again")
        packed = PackedVectors(
            tuple(json.loads(metadata["nouns"])),
            tensors["plural"],
            tensors["codes"],
            float(tensors["step"][0]),
            tensors["basis"],
            tensors["mean"],
            dict(zip(json.loads(metadata["axes"]), tensors["axes"], strict=True)),
        )
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise RatingError(f"{file}: missing or damaged ({error}); install Nomaly again") from error
    same = (metadata["format"], metadata["text_model_sha256"]) == (FORMAT, TEXT_SHA256)
    return packed if same and packed.texts_sha256 == metadata["texts_sha256"] else None


def _texts_sha256(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _checksum(metadata: Mapping[str, str], tensors: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name, values in sorted(tensors.items()):
        digest.update(f"{name}{values.dtype}{values.shape}".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
