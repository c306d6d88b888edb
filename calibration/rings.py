"""The second promise: of what rings, at most a share q is nothing, decided event by event.

LORD with decaying memory (Rebjock et al. 2021) for streams without an end: each ring that was one
lends a little to what comes soon after it. It asks for p-values of events that are uniform where
there is nothing, and that can be very low: as long as nothing has rung, p must be at most
`Rings.first`, which a conformal p of fewer than 1 / first calibration cases never is. Such p need a
tail (`calibration.scores.conformal.TailedRanks`).
"""

import importlib
from typing import Any, Protocol, Self, cast

from novic.extras import needing

DECAY = 0.99
"""Weight of a ring one event later."""
_SHARE = 0.5
"""Of q that is spent on events while nothing rings."""


class _Tests(Protocol):
    def test_one(self, p_val: float, /) -> bool: ...

    def snapshot(self) -> dict[str, Any]: ...


class Rings:
    """Decides which events ring."""

    def __init__(self, q: float, decay: float = DECAY) -> None:
        """Begin with no event.

        Args:
            q: Share of rings that may be nothing, 0 to 1.
            decay: Weight of a ring one event later, 0 to 1: the lower, the sooner it is forgotten.

        Raises:
            ValueError: If one is no such number.
            MissingPackageError: If online-fdr is not installed.
        """
        if not (0 < q < 1 and 0 < decay < 1):
            raise ValueError(f"q and decay must be between 0 and 1, got {q} and {decay}")
        self.first = q * _SHARE * (1 - decay)
        """The p up to which an event rings although nothing has rung for long."""
        self._tests: _Tests = _lord()(alpha=q, delta=decay, eta=_SHARE)

    def ring(self, p: float) -> bool:
        """Decide on the next event.

        Args:
            p: How rare it would be if it were nothing, 0 to 1.

        Raises:
            ValueError: If it is no probability; nothing is decided then.
        """
        if not 0 <= p <= 1:
            raise ValueError(f"p must be a number from 0 to 1, got {p}")
        return bool(self._tests.test_one(float(p)))

    def state(self) -> dict[str, Any]:
        """All that it knows, as JSON can hold it."""
        return {"first": self.first, "tests": self._tests.snapshot()}

    @classmethod
    def of(cls, state: dict[str, Any]) -> Self:
        """Go on where another was.

        Args:
            state: What `state` gave.

        Raises:
            KeyError: If a part is missing; a ValueError if one is wrong.
            MissingPackageError: If online-fdr is not installed.
        """
        rings = cls.__new__(cls)
        rings.first = float(state["first"])
        rings._tests = cast(_Tests, _lord().from_snapshot(state["tests"]))
        return rings


def _lord() -> Any:  # noqa: ANN401
    with needing("the promise of what rings"):
        return importlib.import_module("online_fdr.p_values").LORDMemoryDecay
