"""How a CLIPN is trained."""

import math
from dataclasses import dataclass

from novic.errors import UsageError
from training.clipn.relatives import CLOSE


@dataclass(frozen=True, slots=True)
class ClipnConfig:
    """The released models' optimiser (clipn_spec §3); a length for a processor and texts alone."""

    scale: float
    """s of the losses and scores: e to the logit scale of a CLIP model, 10 to 20 for the starter's
    centred vectors."""
    steps: int = 500
    batch_size: int = 384
    """Pairs; each is told apart from all others of its batch."""
    learning_rate: float = 3e-4
    """At first; falls as a cosine to nothing."""
    weight_decay: float = 0.2
    """Of matrices, tables and prompts."""
    most_noise: float = 1.0
    """Largest norm of the noise on a vector that stands for an image (GaussElem), drawn evenly from
    0 for each; 0 for none."""
    close: float = CLOSE
    """Cosine from which on two texts are not told apart."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            UsageError: If one is out of its range.
        """
        if self.steps < 1 or self.batch_size < 2:
            raise UsageError(
                f"a CLIPN needs at least 1 step of 2 pairs, got {self.steps} of {self.batch_size}"
            )
        for name in ("scale", "learning_rate", "close"):
            if not 0 < getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be above 0, got {getattr(self, name)}")
        for name in ("weight_decay", "most_noise"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be 0 or more, got {getattr(self, name)}")
