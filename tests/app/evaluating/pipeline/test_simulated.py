"""Recordings of the simulator with their truth."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from app.errors import UsageError
from app.evaluating.pipeline.simulated import (
    LEARN_S,
    STAYS_S,
    SimulatedDay,
    make,
    simulated_days,
    true_things,
)
from app.evaluating.truth import read_truth
from app.simulator.cutouts import cutouts
from app.simulator.splits import split
from app.simulator.views import scene
from app.sources.open import open_recording

SMALL = partial(scene, size=(180, 240))


def short(day: SimulatedDay) -> SimulatedDay:
    """The same with its first thing soon, and 3 s long."""
    first = day.simulation.things[0]
    path = tuple((at_s - LEARN_S - 3, x, y) for at_s, x, y in first.path)
    things = (replace(first, path=path),)
    return SimulatedDay(day.name, replace(day.simulation, things=things, duration_s=3.0))


def test_the_same_split_gives_the_same_days_with_things_one_after_the_other():
    days = simulated_days(split("dev"), things=4, places=SMALL)
    assert [day.simulation.key for day in days] == [
        day.simulation.key for day in simulated_days(split("dev"), things=4, places=SMALL)
    ]
    assert [day.name for day in days] == ["desk", "garden", "yard"]
    things = true_things(days[1].simulation)
    assert len(things) == 4
    assert all(one.noun in split("dev").nouns for one in things)
    assert all(one.aliases == cutouts()[one.noun].accepts for one in things)
    assert things[0].start_s >= LEARN_S
    assert all(before.end_s < after.start_s for before, after in pairwise(things))
    assert all(one.end_s - one.start_s == pytest.approx(STAYS_S, abs=0.21) for one in things)
    assert len({one.size for one in things}) > 1


def test_what_is_written_is_read_again_and_is_not_made_twice(tmp_path: Path):
    [day] = simulated_days(split("report"), ["workshop"], things=1)
    day, told = short(day), []
    video, truth = tmp_path / "video.mp4", tmp_path / "truth.json"
    make(day, video, truth, lambda done, total: told.append((done, total)))
    assert told[-1] == (15, 15)
    [there] = read_truth(truth)
    [meant] = true_things(day.simulation)
    assert (there.noun, there.aliases, there.times_s) == (meant.noun, meant.aliases, meant.times_s)
    assert there.start_s == 1.0
    with open_recording(str(video), "", 5.0) as recording:
        frames = list(recording.frames())
    assert len(frames) == 15
    box = there.boxes[0]
    before, after = (box.cut(frames[index].image).astype(float) for index in (2, 10))
    assert abs(before - after).mean() > 8
    make(day, video, truth, lambda *_: pytest.fail("it was there"))


def test_a_recording_that_is_stopped_leaves_nothing(tmp_path: Path):
    [day] = simulated_days(split("dev"), ["garden"], things=1, places=SMALL)

    def stop(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(short(day), tmp_path / "video.mp4", tmp_path / "truth.json", stop)
    assert list(tmp_path.iterdir()) == []


def test_scenes_of_another_split_and_no_things_are_refused():
    with pytest.raises(UsageError, match="--scene terrace: is none of the split 'dev'"):
        simulated_days(split("dev"), ["terrace"])
    with pytest.raises(UsageError, match="--things 0: must be 1 or more"):
        simulated_days(split("dev"), things=0)
