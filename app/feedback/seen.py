"""An event and what it looks like, compared with what somebody spoke of."""

import math
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from app.events.event import Event, Finding, agreement
from detectors.signatures import sameness


class Like(Protocol):
    """What somebody spoke of, as it looked."""

    @property
    def embedder(self) -> str:
        """Spec of the embedder that made the vector."""
        ...

    @property
    def vector(self) -> NDArray[np.float32]:
        """Unit vector [F]."""
        ...

    @property
    def signature(self) -> NDArray[np.float32]:
        """What it looks like; see detectors.signatures."""
        ...

    @property
    def change(self) -> str:
        """What had changed there."""
        ...

    @property
    def nouns(self) -> tuple[tuple[str, float], ...]:
        """Candidates of its name with their probabilities."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """An event and what it looks like."""

    event: Event
    embedder: str
    """Spec of the embedder that made the vector."""
    vector: NDArray[np.float32] | None
    """Unit vector [F]; None while it has no name."""
    signature: NDArray[np.float32] | None
    """See `app.events.event.Finding`."""

    @classmethod
    def of(cls, finding: Finding, embedder: str) -> Self:
        """What a finding carries."""
        return cls(finding.event, embedder, finding.vector, finding.signature)

    def likeness(self, verdict: Like, least: float = -math.inf) -> float:
        """Log-odds that it shows the same thing as a verdict; -inf where that cannot be told.

        What cannot reach `least` is not looked at closely; what comes back is below it.
        """
        vector, signature = self.vector, self.signature
        if vector is None or signature is None or self.embedder != verdict.embedder:
            return -math.inf
        fits = vector.shape == verdict.vector.shape and signature.shape == verdict.signature.shape
        # Nobody who says that a thing may be there says that it may be gone.
        if not fits or (self.event.change == "missing") != (verdict.change == "missing"):
            return -math.inf
        named = agreement(self.event.candidates, verdict.nouns)
        cosine = float(vector @ verdict.vector)
        return sameness(signature, verdict.signature, cosine, named, least)
