"""A view through which somebody passes again and again while it is learned."""

from collections.abc import Iterator
from dataclasses import replace

from app.simulator.simulation import Simulation
from app.simulator.things import Thing, sliding
from app.simulator.views import scene
from detectors.types import Frame

SIZE = (120, 160)
RATE = 5.0
LEARN = 120
PASSING = replace(sliding("officer", 0.12, 0.5, 1.0, 3.0), every_s=6.5, role="belongs")
"""Crosses the middle of the view in three seconds."""


def day(*things: Thing, seed: int = 3, seconds: float = 36.0) -> Simulation:
    """A day of the view with things in it."""
    return Simulation(scene("garden", SIZE), seed, seconds, things)


def frames(simulation: Simulation, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
    """Its frames, 5 a second."""
    for number, shot in enumerate(simulation.shots(start, stop)):
        yield Frame("garden", number, shot.time_s, round(shot.time_s * 1e6), shot.image)
