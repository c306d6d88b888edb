"""Extracted tokens as the authors' program keeps them: a file for each picture (tagood_spec §2.1).

    OUT/CLASS/PICTURE.pt    a list: tags (numbers, or one number where it was only the likeliest),
                            their probabilities, attention [T], kept tokens [n, W]

They are torch's own files. Only numbers, lists and tensors are read from them, nothing is run.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from novic.errors import UsageError
from novic.tagood.errors import TagoodError
from novic.tagood.tokens import TaggedTokens
from novic.weight_files import read_saved, write_saved

ENDING = ".pt"
PARTS = 4


def token_path(out: Path, class_name: str, picture: str | Path) -> Path:
    """Where the tokens of a picture belong."""
    return out / class_name / f"{Path(picture).stem}{ENDING}"


def write_tokens(path: Path, picture: TaggedTokens) -> None:
    """Write the tokens of a picture; its folder is made if missing.

    Raises:
        TagoodError: If it cannot be written.
    """
    tags = picture.tags[0] if picture.fallback else list(picture.tags)
    tensors = [
        torch.from_numpy(np.ascontiguousarray(v)) for v in (picture.attention, picture.tokens)
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TagoodError(f"{path}: cannot be written: {error}") from error
    write_saved(path, [tags, list(picture.probabilities), *tensors], TagoodError)


def read_tokens(path: Path) -> TaggedTokens:
    """Read the tokens of a picture.

    Raises:
        TagoodError: If it cannot be read, or holds anything but tags, probabilities, attention and
            tokens.
    """
    found = read_saved(path, TagoodError)
    if not isinstance(found, list | tuple) or len(found) != PARTS:
        raise TagoodError(
            f"{path}: must hold a list of tags, probabilities, attention and tokens; extract it "
            "again"
        )
    tags, probabilities, attention, tokens = found
    try:
        alone = isinstance(tags, int) or (isinstance(tags, Tensor) and tags.ndim == 0)
        numbers = tuple(int(tag) for tag in _listed(tags))
        chances = tuple(float(chance) for chance in _listed(probabilities))
        rows = _matrix(tokens, len(numbers))
        mask = np.asarray(torch.as_tensor(attention, dtype=torch.float32)).reshape(-1)
        fits = len(numbers) == len(chances) and len(rows) <= len(mask)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise TagoodError(f"{path}: holds no tokens that can be read: {error}") from error
    if not fits or not all(0 <= chance <= 1 for chance in chances):
        raise TagoodError(
            f"{path}: has {len(numbers)} tags, {len(chances)} probabilities and {len(rows)} tokens "
            f"of {len(mask)} places, which do not fit each other; extract it again"
        )
    if not np.isfinite(rows).all():
        raise TagoodError(f"{path}: holds tokens that are not finite; extract it again")
    return TaggedTokens(numbers, chances, mask, rows, alone)


def find_token_files(folder: Path) -> list[tuple[str, Path]]:
    """Class and file of all pictures of a folder, by name.

    Raises:
        UsageError: If there are none.
    """
    files = sorted(folder.glob(f"*/*{ENDING}")) if folder.is_dir() else []
    if not files:
        raise UsageError(
            f"{folder}: holds no extracted tokens; they lie in CLASS/PICTURE{ENDING} in it"
        )
    return [(file.parent.name, file) for file in files]


def _listed(values: Any) -> Sequence[Any]:  # noqa: ANN401 - as it lies in the file
    if isinstance(values, Tensor):
        return values.reshape(-1).tolist()
    return values if isinstance(values, list | tuple) else [values]


def _matrix(tokens: Any, tags: int) -> np.ndarray:  # noqa: ANN401 - as it lies in the file
    """Tokens [n, W]; a picture without tags may be stored without any, of no width."""
    rows = torch.as_tensor(tokens, dtype=torch.float32)
    if not tags and not rows.numel():
        return np.zeros((0, rows.shape[1] if rows.ndim == 2 else 0), np.float32)
    if rows.ndim != 2:
        raise ValueError(f"tokens must be [n, width], these are {list(rows.shape)}")
    return rows.numpy()
