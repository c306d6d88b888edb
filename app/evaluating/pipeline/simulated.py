"""Recordings of the simulator for `nomaly evaluate pipeline`: one a scene, with its truth.

The first minute of each is normal; then things come one after the other, stay for a while and go.
Which scenes, things and seeds take part says `app.simulator.splits`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.errors import UsageError
from app.evaluating.truth import Seen, thing_of, write_truth
from app.events.schema import faults
from app.media.video import VideoWriter
from app.simulator.cutouts import cutouts
from app.simulator.places import Place
from app.simulator.simulation import Simulation
from app.simulator.splits import Split
from app.simulator.things import TALLEST, Thing, lying, spot, tall
from app.simulator.views import scene
from calibration.events import TrueThing

LEARN_S = 60.0
"""The start of each recording that is normal."""
STAYS_S, PAUSE_S = 8.0, 4.0
WIDTHS = (0.08, 0.12, 0.2)
"""Widths of things over the frame's, in turn."""

type Drawn = Callable[[Place, float, np.random.Generator], Thing]
"""Draws a thing of a width for a place; its path does not matter."""


@dataclass(frozen=True, slots=True)
class SimulatedDay:
    """One recording that is to be made."""

    name: str
    simulation: Simulation


def simulated_days(
    split: Split,
    scenes: Sequence[str] = (),
    things: int = 6,
    *,
    draw: Drawn | None = None,
    places: Callable[[str], Place] = scene,
) -> list[SimulatedDay]:
    """Decide what happens in each scene.

    Args:
        split: Whose scenes, things and seeds are used.
        scenes: Some of its scenes; all if empty.
        things: How many come in each, from 1 on.
        draw: Draws a thing; by default the split's cut-outs in turn.
        places: Finds a place by its name.

    Raises:
        UsageError: If a scene is none of the split's, or no thing is asked for.
    """
    if things < 1:
        raise UsageError(f"--things {things}: must be 1 or more")
    for name in scenes:
        if name not in split.scenes:
            raise UsageError(
                f"--scene {name}: is none of the split '{split.name}'; there are "
                f"{', '.join(split.scenes)}"
            )
    days = []
    for number, name in enumerate(scenes or split.scenes):
        place = places(name)
        seed = split.seed(number)
        rng = np.random.default_rng((seed, 23))
        own = draw or _in_turn(split, place, rng)
        coming = [_coming(place, own, turn, rng) for turn in range(things)]
        duration_s = LEARN_S + things * (STAYS_S + PAUSE_S) + PAUSE_S
        days.append(SimulatedDay(name, Simulation(place, seed, duration_s, tuple(coming))))
    return days


def true_things(simulation: Simulation) -> list[TrueThing]:
    """What does not belong in a simulation, by where it was in every frame."""
    seen: dict[int, list[Seen]] = {}
    for index in range(simulation.frames):
        for one in simulation.truth(index):
            seen.setdefault(one.id, []).append((index / simulation.fps, one.box))
    found = []
    for number, boxes in sorted(seen.items()):
        noun = simulation.things[number].noun
        cutout = cutouts().get(noun)
        aliases = () if cutout is None else cutout.accepts
        found.append(thing_of(noun, boxes, simulation.place.size[1], aliases))
    return found


def make(day: SimulatedDay, video: Path, truth: Path, progress: Callable[[int, int], None]) -> None:
    """Write a recording and its truth; a recording that is there with its truth is left alone.

    Args:
        day: What happens.
        video: The file, in a folder that exists.
        truth: The same for the truth, which is written last.
        progress: Told how many frames are done, of how many; if it raises, nothing is left.

    Raises:
        app.media.video.VideoError: If the video cannot be written.
        app.errors.StoreError: If the truth cannot be.
    """
    if truth.is_file() and video.is_file():
        return
    simulation = day.simulation
    part = video.with_name(f"{video.stem}.part.mp4")
    with faults(video.parent):
        try:
            with VideoWriter(part, simulation.place.size, simulation.fps) as writer:
                for done, shot in enumerate(simulation.shots(), start=1):
                    writer.write(shot.image, shot.time_s)
                    progress(done, simulation.frames)
            part.replace(video)
        finally:
            part.unlink(missing_ok=True)
        write_truth(true_things(simulation), simulation.place.size, truth)


def _in_turn(split: Split, place: Place, rng: np.random.Generator) -> Drawn:
    """The split's cut-outs for a place, in an order that is drawn, again and again."""
    nouns = split.nouns_for(place)
    order = [nouns[number] for number in rng.permutation(len(nouns)).tolist()]
    turn = iter(range(10**9))

    def drawn(where: Place, width: float, _: np.random.Generator) -> Thing:
        noun = order[next(turn) % len(order)]
        # A tall thing is shown as wide as leaves it in the view.
        thing = lying(noun, width, (0.5, 0.5), 0.0)
        high = tall(thing, where.size)
        return replace(thing, width=width * min(1.0, TALLEST / high))

    return drawn


def _coming(place: Place, draw: Drawn, turn: int, rng: np.random.Generator) -> Thing:
    """The thing whose turn it is, where it lies and when."""
    from_s = LEARN_S + PAUSE_S + turn * (STAYS_S + PAUSE_S)
    while True:
        thing = draw(place, WIDTHS[turn % len(WIDTHS)], rng)
        at = spot(thing, place.size, rng)
        if at is not None:
            path = ((from_s, *at), (from_s + STAYS_S, *at))
            return replace(thing, path=path, shadow=bool(rng.random() < 0.5))
