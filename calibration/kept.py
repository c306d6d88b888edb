"""Fitted scores on disk: scores.json that people can read, beside scores.safetensors.

    kept = Kept({"knn": Knn().fit(known)}, {"embedder": "starter"})
    write_kept(folder, kept)
    read_kept(folder).scores["knn"].score(batch)

What is read back gives the same scores to the last digit. Nothing in the files is ever run. They
are bound by name and value to what their numbers depend on, as an embedder. Arrays that are equal
are there once.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeAliasType, get_origin

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from calibration.cards import CardKind
from calibration.scores import conformal, features, fusion, gaussians, pytorch_ood, texts
from calibration.scores.clusters import FittedClusterEnergy
from calibration.scores.heads import LinearHead
from calibration.scores.logits import LOGIT_SCORES, FittedOnLogits, OnLogits
from calibration.scores.protocol import Fitted, ScoreError
from calibration.tagood import FittedTagOod
from calibration.tail import Pareto
from novic.errors import NomalyError
from novic.extras import MissingPackageError
from novic.json_files import CARD_BYTES
from novic.whole_files import write_whole

FORMAT, VERSION = "nomaly-scores", 2
CARD, ARRAYS = "scores.json", "scores.safetensors"
FILES = frozenset({CARD, ARRAYS})
MOST_BYTES = 4 << 30
"""Of the arrays; a bank of a million vectors of 512."""
_AGAIN = "fit them again with nomaly evaluate ood --keep"

type Array = NDArray[np.generic]

FORMS: Mapping[type, Mapping[str, str]] = {
    LinearHead: {"weights": "CF", "biases": "C"},
    Pareto: {},
    conformal.Ranks: {"ordered": "N"},
    conformal.TailedRanks: {},
    features.FittedKnn: {"bank": "BF"},
    features.FittedCentres: {"centres": "CF"},
    features.FittedVim: {"origin": "F", "rest": "FR"},
    gaussians.FittedMahalanobis: {"means": "CF", "white": "FF"},
    gaussians.FittedRmd: {
        "middle": "F",
        "project": "AF",
        "means": "CA",
        "white": "AA",
        "background": "AA",
    },
    FittedOnLogits: {},
    FittedClusterEnergy: {},
    pytorch_ood.FittedPytorchOod: {"vectors": "NF", "classes": "N"},
    texts.Mcm: {"texts": "CF"},
    texts.GlMcm: {"texts": "CF"},
    texts.NegLabel: {"positive": "PF", "negative": "MF"},
    texts.DictionaryMass: {},
    texts.FittedDictionaryMass: {},
    FittedTagOod: {"centres": "CPD"},
    fusion.FittedFisher: {},
    fusion.FittedLogistic: {"middles": "S", "spreads": "S", "weights": "S"},
}
"""All that may be kept, and the axes of their arrays: one letter is one length."""
KINDS = {kind.__name__: kind for kind in FORMS}


class KeptError(NomalyError):
    """Scores that were kept cannot be written, read or used; the text names the file and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Fitted scores, and what they belong to."""

    scores: Mapping[str, Fitted]
    bindings: Mapping[str, str]
    """What their numbers depend on, by name: an embedder, the hash of its weights."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else is to be known of them, as JSON can hold it: the nouns, the classes."""
    tables: Mapping[str, Array] = field(default_factory=dict)
    """What would be too much for JSON, by name: which pictures they were fitted on."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Scores that lie there and cannot be used here, and why; of those that are read back."""

    def check(self, here: Mapping[str, str], folder: Path) -> None:
        """Refuse them where something else looks.

        Args:
            here: What would be scored with, by the names of `bindings`.
            folder: Where they lie, for the sentence.

        Raises:
            KeptError: If something of it differs; the sentence names both.
        """
        for name, value in here.items():
            mine = self.bindings.get(name, "")
            if mine != value:
                raise KeptError(
                    f"{folder}: these scores were fitted with {name} {mine[:60] or 'none'}, here "
                    f"it is {value[:60] or 'none'}; use the same, or {_AGAIN}"
                )


def write_kept(folder: Path, kept: Kept) -> None:
    """Write fitted scores; those that lie there are replaced.

    Args:
        folder: Made if missing.
        kept: What to write.

    Raises:
        KeptError: If one cannot be kept, holds numbers that are not finite, all are larger than
            what is read back, or the disk refuses.
    """
    arrays = _Arrays()
    trees = {name: _told(one, name, arrays) for name, one in kept.scores.items()}
    tables = {name: _told(table, f"tables.{name}", arrays) for name, table in kept.tables.items()}
    # Before they are copied into one.
    _check_size(folder, ARRAYS, sum(one.nbytes for one in arrays.named.values()), MOST_BYTES)
    content = save(arrays.named)
    _check_size(folder, ARRAYS, len(content), MOST_BYTES)
    card = {
        "format": FORMAT,
        "version": VERSION,
        "higher_is": "more unknown",
        "bindings": dict(kept.bindings),
        "facts": dict(kept.facts),
        "tables": tables,
        "scores": trees,
        "arrays_sha256": hashlib.sha256(content).hexdigest(),
    }
    try:
        text = (json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
        _check_size(folder, CARD, len(text), CARD_BYTES)
        folder.mkdir(parents=True, exist_ok=True)
        # A kill in between leaves two that do not fit, which is noticed when they are read.
        write_whole(folder / ARRAYS, content)
        write_whole(folder / CARD, text)
    except ValueError as error:
        raise KeptError(f"{folder}: a score holds a number that is not finite") from error
    except OSError as error:
        raise KeptError(
            f"{folder}: the scores cannot be written: {error.strerror or error}"
        ) from error


def read_kept(folder: Path) -> Kept:
    """Read fitted scores; those that need a package that is not installed are left out.

    Args:
        folder: That `write_kept` wrote.

    Raises:
        KeptError: If there are none, or they are damaged, cut off, or of another version.
    """
    file = folder / CARD
    kind = CardKind(FORMAT, VERSION, KeptError, "holds no scores of Nomaly's", _AGAIN)
    card = kind.read(file, missing=_AGAIN)
    try:
        arrays = _arrays(folder, str(card["arrays_sha256"]))
        scores, left_out = _scores(card["scores"], arrays)
        bindings = {str(name): str(value) for name, value in card["bindings"].items()}
        tables = {str(name): _table(tree, arrays) for name, tree in card["tables"].items()}
        return Kept(scores, bindings, dict(card["facts"]), tables, left_out)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise KeptError(f"{file}: damaged ({_why(error)}); {_AGAIN}") from error


class _Arrays:
    """Arrays by the path of the first of them that is equal: scores often keep the same vectors."""

    def __init__(self) -> None:
        self.named: dict[str, Array] = {}
        self._paths: dict[object, str] = {}

    def put(self, path: str, array: Array) -> str:
        """Under which path it is found, which is another if an equal one is there."""
        digest = hashlib.sha256(array.data if array.size else b"").digest()
        found = self._paths.setdefault((array.dtype.str, array.shape, digest), path)
        self.named.setdefault(found, array)
        return found


def _check_size(folder: Path, name: str, size: int, most: int) -> None:
    if size > most:
        raise KeptError(
            f"{folder}: {name} would take {size:,} bytes, of which no more than {most:,} are read "
            "back, so nothing is kept; fit on fewer pictures or nouns"
        )


def _told(value: object, path: str, arrays: _Arrays) -> Any:  # noqa: ANN401 - JSON
    """A value as JSON, its arrays put aside by their paths."""
    if isinstance(value, np.ndarray):
        if not np.isfinite(value).all():
            raise KeptError(f"{path}: holds a number that is not finite, so it cannot be kept")
        # The same order in memory, or sums differ in the last digit.
        turned = value.flags.f_contiguous and not value.flags.c_contiguous
        found = arrays.put(path, np.ascontiguousarray(value.T if turned else value))
        return {"array": found, "turned": turned}
    if isinstance(value, OnLogits):
        return {"of_logits": value.name}
    if isinstance(value, tuple):
        return [_told(one, f"{path}.{number}", arrays) for number, one in enumerate(value)]
    if is_dataclass(value) and type(value) in FORMS:
        told = {
            one.name: _told(getattr(value, one.name), f"{path}.{one.name}", arrays)
            for one in _fields(type(value))
        }
        return {"kind": type(value).__name__, **told}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise KeptError(f"{path}: {type(value).__name__} is none of the scores that can be kept")


def _read(told: Any, arrays: Mapping[str, Array]) -> Any:  # noqa: ANN401 - JSON
    """The other way round."""
    if isinstance(told, list):
        return tuple(_read(one, arrays) for one in told)
    if not isinstance(told, dict):
        return told
    if "array" in told:
        found = arrays[told["array"]]
        return found.T if told["turned"] else found
    if "of_logits" in told:
        known = {score.name: score for score in LOGIT_SCORES}
        return known[told["of_logits"]]
    kind = KINDS[told["kind"]]
    given = {one.name: _read(told[one.name], arrays) for one in _fields(kind)}
    _check(kind, given)
    return kind(**given)


def _scores(
    trees: Mapping[str, Any], arrays: Mapping[str, Array]
) -> tuple[dict[str, Fitted], dict[str, str]]:
    """Scores by name, and why others cannot be used here."""
    scores: dict[str, Fitted] = {}
    left_out: dict[str, str] = {}
    for name, tree in trees.items():
        try:
            scores[str(name)] = _score(tree, arrays)
        except (MissingPackageError, ScoreError) as error:
            left_out[str(name)] = str(error).removeprefix(f"{name}: ")
    return scores, left_out


def _table(told: Any, arrays: Mapping[str, Array]) -> Array:  # noqa: ANN401 - JSON
    read = _read(told, arrays)
    if not isinstance(read, np.ndarray):
        raise TypeError("a table is no array")
    return read


def _score(told: Any, arrays: Mapping[str, Array]) -> Fitted:  # noqa: ANN401 - JSON
    read = _read(told, arrays)
    if not _is_score(read):
        raise ValueError(f"{type(read).__name__} is no score")
    return read


def _check(kind: type, given: Mapping[str, Any]) -> None:
    """Refuse fields of other types, and arrays that do not fit each other.

    Raises:
        ValueError: If there is one.
    """
    lengths: dict[str, int] = {}
    for one in _fields(kind):
        value, axes = given[one.name], FORMS[kind].get(one.name)
        if not _is(value, one.type):
            raise ValueError(f"{kind.__name__}.{one.name} is of another type")
        if axes is None:
            continue
        if value.ndim != len(axes) or any(
            lengths.setdefault(axis, size) != size
            for axis, size in zip(axes, value.shape, strict=True)
        ):
            raise ValueError(f"{kind.__name__}.{one.name} has another form {list(value.shape)}")
    if any(isinstance(value, tuple) and not value for value in given.values()):
        raise ValueError(f"{kind.__name__} has no parts")


def _is(value: object, wanted: object) -> bool:
    """Whether a value is of a field's type."""
    if isinstance(wanted, TypeAliasType):
        return isinstance(value, str if wanted is pytorch_ood.Kind else np.ndarray)
    if get_origin(wanted) is tuple:
        return isinstance(value, tuple) and all(map(_is_part, value))
    if wanted is float:
        return isinstance(value, int | float) and bool(np.isfinite(value))
    return isinstance(value, wanted)  # pyright: ignore[reportArgumentType] - a class or a union


def _is_part(part: object) -> bool:
    """Of several: a head, a score, or one with its p-values."""
    if isinstance(part, tuple):
        return len(part) == 2 and _is_score(part[0]) and isinstance(part[1], conformal.TailedRanks)
    return isinstance(part, LinearHead) or _is_score(part)


def _is_score(value: object) -> bool:
    return callable(getattr(value, "score", None))


def _fields(kind: type) -> list[Field[Any]]:
    return [one for one in fields(kind) if one.init]


def _arrays(folder: Path, sha256: str) -> dict[str, Array]:
    file = folder / ARRAYS
    try:
        if file.stat().st_size > MOST_BYTES:
            raise KeptError(f"{file}: is larger than {MOST_BYTES:,} bytes; {_AGAIN}")
        content = file.read_bytes()
    except OSError as error:
        raise KeptError(f"{file}: cannot be read: {error.strerror or error}; {_AGAIN}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise KeptError(f"{file}: cut off, or not written with {CARD} beside it; {_AGAIN}")
    try:
        arrays = load(content)
    except SafetensorError as error:
        raise KeptError(f"{file}: damaged ({error}); {_AGAIN}") from error
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise KeptError(f"{file}: {name} holds a number that is not finite; {_AGAIN}")
    return arrays


def _why(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
