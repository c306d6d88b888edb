"""An audit that is killed at any moment goes on to the result of one that was not."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import batched
from pathlib import Path

import numpy as np
import pytest

from app.events.media import MEDIA
from app.events.store import SourceProgress, Store
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.lookout import Lookout
from app.watching.naming import AtOnce
from app.watching.recorder import Recorder
from app.watching.resuming import Checkpoints, take_up, warm_s
from detectors.base import AnomalyMaps
from detectors.types import Frame, Pixels
from novic.surrounded import Surrounded
from novic.vocabulary import Naming, NounScore
from tests.app.builders import SIZE, BrightnessNames, a_frame
from tests.app.events.findings import ARRIVED

FPS = 5
SECONDS = 80
VIDEO = "a.mp4"


class Brightness:
    """Finds bright things: the mean of every 5 x 5 pixels over the dark view's."""

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        grey = np.stack(frames).astype(np.float32).mean(-1)
        cells = grey.reshape(len(frames), 12, 5, 16, 5).mean((2, 4)) / 100
        return AnomalyMaps(cells.astype(np.float32), cells.max((1, 2)).astype(np.float32))


def picture(number: int) -> Pixels:
    """One thing stays for 60 s, one passes it twice, one comes and goes; then all is white."""
    at_s, noise = number / FPS, np.random.default_rng(number)
    image = noise.integers(20, 60, (*SIZE, 3)).astype(np.uint8)

    def lay(x: int, y: int, side: int, light: int) -> None:
        image[y : y + side, max(0, x) : max(0, x + side)] = light + noise.integers(0, 30, 3)

    if 5 <= at_s < 65:
        lay(40, 20, 15, 190)
    for start_s in (15, 45):
        if start_s <= at_s < start_s + 10:
            lay(int(8 * (at_s - start_s)) - 5, 22, 10, 220)
    if 28 <= at_s < 33:
        lay(5, 45, 10, 150)
    return np.full_like(image, 250) if 67 <= at_s < 78 else image


class NamesInPlace(BrightnessNames):
    """As sure as it is bright around."""

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        named = super().name(images, top, around)
        return [
            replace(naming, nouns=(NounScore(naming.nouns[0].noun, 0.5 + bright(seen) / 1000),))
            for naming, seen in zip(named, around, strict=True)
        ]


def bright(seen: Surrounded | None) -> float:
    assert seen is not None
    return float(seen.square.mean())


FRAMES = [a_frame(number / FPS, picture(number)) for number in range(SECONDS * FPS)]


def audit(store: Store, frames: int | None = None) -> bool:
    """Look at the recording from where the store left it; stop like a kill after so many frames.

    Returns:
        Whether it has got to the end.
    """
    run = store.last_run() or store.begin_run("audit", {})
    known = next(iter(store.sources(run.id)), None)
    source = known or SourceProgress("hall", VIDEO, SIZE, 0.0, 0.0)
    source.frames = source.done_frames
    camera = Camera(SIZE, live=False, settings=CameraSettings(video=VIDEO))
    recorder = Recorder(store, run.id, source)
    lookout = Lookout(camera, Brightness(), AtOnce(NamesInPlace()), recorder)
    from_s = warm_s(store, run.id, source)
    take_up(store, run.id, lookout, said.append)
    checkpoints = Checkpoints(lookout)
    left: Sequence[Frame] = [one for one in FRAMES if one.pts_s >= from_s]
    for batch in batched(left[:frames], 8):
        lookout.look(batch)
        checkpoints.save([])
    if frames is not None and frames < len(left):
        return False
    source.finished = True
    lookout.save(lookout.finish())
    return True


said: list[str] = []


def result(store: Store) -> tuple[object, ...]:
    """Everything that an audit tells: events, sightings, pictures, counts, the timeline."""
    events = store.events(1)
    pictures = {
        file.relative_to(store.folder): file.read_bytes()
        for kind in MEDIA
        for file in (store.folder / kind).iterdir()
    }
    (source,) = store.sources(1)
    looked_at = (source.frames, source.seen_s, source.finished)
    sightings = [store.sightings(event.id) for event in events]
    return events, sightings, pictures, looked_at, store.seconds(1, VIDEO), store.gaps(1)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    with Store(tmp_path_factory.mktemp("undisturbed")) as store:
        assert audit(store)
        events = store.events(1)
        assert [event.start_s for event in events] == [5.0, 15.0, 28.0, 45.0, 67.0]
        assert (events[0].end_s, events[-1].name) == (64.8, "white picture")
        return result(store)


@pytest.mark.parametrize("kills", [[60], [190], [300], [375], [230, 150, 33, 110], [399]], ids=str)
def test_a_killed_audit_goes_on_to_the_same_result(
    kills: list[int], undisturbed: tuple[object, ...], tmp_path: Path
):
    for frames in kills:
        with Store(tmp_path) as store:
            assert not audit(store, frames)
    with Store(tmp_path) as store:
        assert audit(store)
        assert result(store) == undisturbed


def test_a_thing_that_stays_is_in_the_store_while_it_does(tmp_path: Path):
    with Store(tmp_path) as store:
        audit(store, 40 * FPS)
        stays = store.events(1)[0]
        assert (stays.state, stays.noun, stays.start_s) == ("opened", "lamp", 5.0)
        assert stays.end_s > 30
        assert all(store.media(kind, stays).exists() for kind in ARRIVED)
        # It goes on near where it was killed, not where the thing came.
        assert store.sources(1)[0].done_s > 29


def test_what_was_followed_by_another_version_ends_where_it_was_seen_last(tmp_path: Path):
    with Store(tmp_path) as store:
        audit(store, 40 * FPS)
        left = store.events(1)[0]
        with store.saving():
            store._db.execute("UPDATE checkpoint SET tracks = '[]'")
        said.clear()
        assert audit(store)
        first, *others = store.events(1)
        assert (first.id, first.state, first.cut) == (left.id, "closed", True)
        assert first.end_s == left.end_s
        assert any(event.start_s > 29 and event.end_s > 60 for event in others)
        assert "was kept by another version of Nomaly" in said[0]
