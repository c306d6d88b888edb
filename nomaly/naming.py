"""Nouns for pictures."""

from collections.abc import Sequence
from pathlib import Path

from detectors.types import Pixels
from nomaly.arrays import checked
from novic.device import resolve_device
from novic.errors import UsageError
from novic.model import ModelOptions, NounModel, load_model
from novic.vocabulary import Naming


class Namer:
    """Says what pictures show, without a list to choose from. `load_namer` makes one."""

    def __init__(self, model: NounModel) -> None:
        self._model = model

    def name(self, images: Sequence[Pixels], top: int = 5) -> list[Naming]:
        """Name pictures.

        Args:
            images: N arrays, RGB uint8 [H, W, 3], any sizes.
            top: Candidates for each at most, 1 or more.

        Returns:
            For each picture its nouns, best first, and the vector they rest on.

        Raises:
            ArrayError: If an image is no such array.
            NomalyError: If `top` is below 1.
        """
        if top < 1:
            raise UsageError(f"top is {top}; it must be 1 or more")
        return self._model.name(checked(images), top)


def load_namer(
    model: str | Path | None = None, *, embedder: str | None = None, device: str = "auto"
) -> Namer:
    """Load what names things.

    Args:
        model: A decoder's folder or a NOVIC checkpoint; None for the starter that comes along.
        embedder: Spec of the model's embedder from elsewhere; None as the model names it.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        NomalyError: If the model or its embedder cannot be loaded; says why and what to do.
    """
    path = Path(model) if model is not None else None
    options = ModelOptions(embedder=embedder)
    return Namer(load_model(path, resolve_device(device), options))
