"""How a TagOOD is trained."""

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from novic.errors import UsageError

type CentreKind = Literal["corrected", "published", "means"]
"""Running means without what is left of their start, with it, or plain means of the classes."""
CENTRE_KINDS: tuple[str, ...] = get_args(CentreKind.__value__)


@dataclass(frozen=True, slots=True)
class TagoodConfig:
    """For a site on a processor; `PUBLISHED` is what differs in the authors' program."""

    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 3e-4
    """At first; falls as a cosine, by step."""
    final_rate: float = 1e-5
    """In the last step."""
    weight_decay: float = 5e-4
    centre_weight: float = 0.1
    """Of the loss of the centres."""
    momentum: float = 0.999
    """Of the centres' running means."""
    centres: CentreKind = "corrected"
    two_passes: bool = True
    """Each loss sees other dropout, as published; one pass takes half the time."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            UsageError: If one is out of its range.
        """
        if self.epochs < 1 or self.batch_size < 1:
            raise UsageError(
                f"a TagOOD needs 1 epoch and 1 picture a batch at least, got {self.epochs} and "
                f"{self.batch_size}"
            )
        if not 0 < self.learning_rate < math.inf:
            raise UsageError(f"learning_rate must be above 0, got {self.learning_rate}")
        for name in ("final_rate", "weight_decay", "centre_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be 0 or more, got {getattr(self, name)}")
        if not 0 <= self.momentum < 1:
            raise UsageError(f"momentum must be from 0 to below 1, got {self.momentum}")
        if self.centres not in CENTRE_KINDS:
            raise UsageError(f"centres must be one of {', '.join(CENTRE_KINDS)}")


PUBLISHED: dict[str, Any] = {
    "epochs": 99,
    "batch_size": 256,
    "learning_rate": 0.01,
    "centres": "published",
}
"""The authors' program (tagood_spec §4), as it would train on a GPU."""
