"""Scores that pytorch-ood computes, on unit vectors and a linear head learned from labels.

Only those that are not here already. It computes in float32, so a picture's score differs in the
sixth digit by what else is in its batch. Neither it nor torch is imported before one is fitted.
"""

import importlib
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from calibration.scores.heads import LinearHead, fit_head, labelled
from calibration.scores.protocol import Floats, Ints, Pictures, ScoreError, enough, vectors_of
from novic.extras import needing

type Kind = Literal["nnguide", "fdbd", "pnml", "nci"]
KINDS: tuple[Kind, ...] = get_args(Kind.__value__)
CLASSES: dict[Kind, str] = {"nnguide": "NNGuide", "fdbd": "fDBD", "pnml": "PNML", "nci": "NCI"}
"""Park et al. 2023, Liu and Qin 2024, Bibas et al. 2021, Liu and Qin 2025."""
LEAST = 10
"""Pictures; NNGuide looks at ten neighbours."""


@dataclass(frozen=True, slots=True)
class PytorchOod:
    """One of pytorch-ood's scores."""

    name: Kind

    def fit(self, known: Pictures) -> "FittedPytorchOod":
        """See `protocol.Score`.

        Raises:
            novic.extras.MissingPackageError: If pytorch-ood is not installed.
        """
        vectors, classes = labelled(self.name, known)
        enough(self.name, len(vectors), LEAST)
        return FittedPytorchOod(self.name, vectors, classes, fit_head(vectors, classes))


@dataclass(frozen=True, slots=True, eq=False)
class FittedPytorchOod:
    """See `PytorchOod`; what pytorch-ood learns is learned anew where it is read back.

    Raises:
        novic.extras.MissingPackageError: If pytorch-ood is not installed.
    """

    name: Kind
    vectors: Floats
    """That it was fitted on [N, F]."""
    classes: Ints
    """Of these, 0 to C - 1 [N]."""
    head: LinearHead
    detector: Any = field(init=False)

    def __post_init__(self) -> None:
        """Let pytorch-ood learn."""
        torch, found = _imported(self.name)
        detector = found(encoder=None, head=_linear(torch, self.head))
        detector.fit_features(_tensor(torch, self.vectors), torch.from_numpy(self.classes))
        object.__setattr__(self, "detector", detector)

    def score(self, batch: Pictures) -> Floats:
        """See `protocol.Fitted`."""
        torch = importlib.import_module("torch")
        vectors = vectors_of(self.name, batch, self.vectors.shape[1])
        if not len(vectors):
            return np.empty(0)
        scores = self.detector.predict_features(_tensor(torch, vectors))
        return scores.detach().double().numpy()


def _imported(name: Kind) -> tuple[Any, Any]:
    """Torch, and pytorch-ood's class."""
    torch = importlib.import_module("torch")
    with needing("this score"):
        try:
            detectors = importlib.import_module("pytorch_ood.detector")
        except RuntimeError as error:
            # A torchvision of another torch fails so.
            raise ScoreError(f"{name}: pytorch-ood cannot be imported here: {error}") from error
    return torch, getattr(detectors, CLASSES[name])


def _linear(torch: Any, head: LinearHead) -> Any:  # noqa: ANN401 - a module that is not imported
    classes, width = head.weights.shape
    linear = torch.nn.Linear(width, classes)
    with torch.no_grad():
        linear.weight.copy_(_tensor(torch, head.weights))
        linear.bias.copy_(_tensor(torch, head.biases))
    return linear.requires_grad_(requires_grad=False)


def _tensor(torch: Any, values: Floats) -> Any:  # noqa: ANN401
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))
