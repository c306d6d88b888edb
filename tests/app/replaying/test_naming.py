"""Events named again from what their crops said, by the decoder that Nomaly ships."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.events.ballots import Ballots, cast, read
from app.events.event import Finding
from app.events.store import Changes, SourceProgress, Store
from app.replaying.change import Change
from app.replaying.naming import ONE_CROP
from app.replaying.outcome import Outcome
from app.replaying.would import would
from novic.vocabulary import PERSON
from tests.app.events.findings import a_finding


@pytest.fixture(scope="module")
def width() -> int:
    """Components of the starter's vectors."""
    from novic.bundle import load_bundle
    from novic.model import starter_bundle_path

    return load_bundle(starter_bundle_path()).decoder.config.width


def some(width: int, seed: int) -> NDArray[np.float32]:
    """A unit vector."""
    vector = np.random.default_rng(seed).normal(size=width).astype(np.float32)
    return vector / np.linalg.norm(vector)


def asked(folder: Path, finding: Finding, embedder: str) -> Outcome:
    """What the starter would call an event."""
    source = SourceProgress("hall", "a.mp4", (60, 80), 0.0, 0.0, seen_s=30.0)
    with Store(folder) as store:
        run = store.begin_run("audit", {})
        store.save(run.id, Changes(source, (finding,), embedder=embedder))
    return would(folder, Change(renames=True, said="--model"))


def of(*crops: tuple[NDArray[np.float32], float, int, float, int]) -> Ballots:
    """Ballots of crops."""
    ballots = cast(crops)
    assert ballots is not None
    return ballots


def test_ballots_come_back_nearly_as_they_were(width: int):
    ballots = of((some(width, 1), 2.0, 0, 0.0, 0), (some(width, 2), 1.0, 1, 0.9, 3))
    back = read(ballots.as_bytes)
    assert (back.weights, back.pictures, back.people) == ((2.0, 1.0), (0, 1), (0, 3))
    assert (back.vectors * ballots.vectors).sum(axis=1) == pytest.approx(1, abs=1e-3)
    assert cast([]) is None
    with pytest.raises(ValueError, match="damaged"):
        read(b"nothing")


def test_the_crop_that_counts_most_gives_the_name_and_a_person_is_one_still(
    width: int, tmp_path: Path
):
    crops = (some(width, 3), 1.0, 0, 0.98, 2), (some(width, 4), 1.0, 1, 0.98, 2)
    finding = replace(a_finding(noun="cat"), ballots=of(*crops))
    (one,) = asked(tmp_path, finding, "starter").of("renamed")
    assert one.before_said == "something unnamed"
    assert one.after is not None
    assert (one.after.noun, one.after.people, one.uncertain) == (PERSON, 2, "")


def test_where_only_one_crop_is_kept_the_name_is_uncertain(width: int, tmp_path: Path):
    event = replace(a_finding().event, candidates=(("cat", 0.9),))
    outcome = asked(tmp_path, replace(a_finding(), event=event, vector=some(width, 3)), "starter")
    assert [one.uncertain for one in outcome.of("renamed")] == [ONE_CROP]
    assert "only one crop is kept" in outcome.notes[0]


def test_vectors_of_another_embedder_are_left_alone(width: int, tmp_path: Path):
    finding = replace(a_finding(), vector=some(width, 3))
    outcome = asked(tmp_path, finding, "openclip:another")
    assert outcome.different == ()
    assert "another embedder" in outcome.notes[0]


def test_what_has_no_vectors_is_told_to_have_none(tmp_path: Path):
    outcome = asked(tmp_path, a_finding(), "starter")
    assert outcome.different == ()
    assert "nothing is kept to name them by" in outcome.notes[0]
