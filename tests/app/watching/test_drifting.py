"""A camera that runs notices that its calibration no longer holds, says so once, and goes on."""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import batched
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.events.bets import PERIOD, Bet
from app.events.event import VOID, Event, Finding, Picture
from app.events.store import SourceProgress, Store
from app.report.page import render_report
from app.report.times import since as since_when
from app.watching.camera import Camera
from app.watching.camera_settings import CameraSettings
from app.watching.drifting import MOST_ASKED, Drifting, Watched
from app.watching.holding import Holding, Light, Sampling, reason_of
from app.watching.lookout import Lookout
from app.watching.namer import Words, name_pictures, vote
from app.watching.naming import AtOnce, Beside
from app.watching.recorder import Recorder
from app.watching.results import audit_result, watch_summary
from app.watching.resuming import Checkpoints, take_up, warm_s
from app.watching.sampling import Sampler
from app.why.receipts import of_event
from calibration.site.calibrated import Bindings, SiteCalibration, calibrated
from calibration.site.crops import Crops
from detectors.base import AnomalyMaps
from detectors.types import Frame, Pixels
from novic.surrounded import Surrounded
from novic.vocabulary import Naming, NounScore
from tests.app.builders import SIZE, a_frame, a_map

EVERY_S, STEP_S = 20.0, 10.0
CHANGE_S, LAST_S = 1500.0, 3000.0
THINGS_S = (300.0, 2800.0)
"""Before and after the calibration is void something lies there for a minute."""
THINGS_PLACE = 20
"""Where they lie (`app.watching.sampling.Crop.place`)."""
VIDEO = "a.mp4"


class Brightness:
    """Finds bright things: the mean of every 5 x 5 pixels over the dark view's."""

    def detect(self, frames: Sequence[Pixels]) -> AnomalyMaps:
        grey = np.stack(frames).astype(np.float32).mean(-1)
        cells = grey.reshape(len(frames), 12, 5, 16, 5).mean((2, 4)) / 100
        return AnomalyMaps(cells.astype(np.float32), cells.max((1, 2)).astype(np.float32))


class LightNames:
    """A vector that turns with the light of a crop, and always the same noun."""

    def name(
        self, images: Sequence[Pixels], top: int = 5, around: Sequence[Surrounded | None] = ()
    ) -> list[Naming]:
        return [Naming((NounScore("brick", 0.9),), self.vector(image), 0.1) for image in images]

    def vector(self, image: Pixels) -> np.ndarray:
        ends = np.percentile(image, (5, 25, 50, 75, 95)).astype(np.float32)
        whole = np.array([*ends, *image.mean((0, 1)), 60], np.float32)
        return whole / np.linalg.norm(whole)


class Broken(LightNames):
    """Some of its vectors are no numbers."""

    def vector(self, image: Pixels) -> np.ndarray:
        vector = super().vector(image)
        return vector * np.float32(np.nan) if image.sum() % 4 == 0 else vector


def picture(at_s: float, light: float = 1.0) -> Pixels:
    rng = np.random.default_rng(round(at_s))
    image = (light * rng.integers(30, 70, (*SIZE, 3))).astype(np.uint8)
    if any(start_s <= at_s < start_s + 60 for start_s in THINGS_S):
        image[20:35, 40:55] = 190 + rng.integers(0, 30, 3)
    return image


def often(every_s: float, for_s: float) -> list[Frame]:
    """Nothing changes, but things come all the time."""
    shown = []
    for frame in frames(change_s=np.inf):
        image = frame.image.copy()
        if frame.pts_s % every_s < for_s:
            image[20:35, 40:55] = 200
        shown.append(replace(frame, image=image))
    return shown


def frames(change_s: float = CHANGE_S, clock_back_s: float = np.inf) -> list[Frame]:
    """A frame each ten seconds; the light goes down to 60%."""
    shown = []
    for at_s in np.arange(0.0, LAST_S, STEP_S).tolist():
        frame = a_frame(at_s, picture(at_s, 0.6 if at_s >= change_s else 1.0))
        back_us = 3_600_000_000 if at_s >= clock_back_s else 0
        shown.append(replace(frame, time_us=frame.time_us + 7_200_000_000 - back_us))
    return shown


@pytest.fixture(scope="module")
def site() -> SiteCalibration:
    """Calibrated on an hour and a half of the view before all that."""
    names, sampler, vectors, at_s = LightNames(), Sampler(EVERY_S), [], []
    for moment in np.arange(0.0, 5400.0, EVERY_S).tolist():
        frame = a_frame(moment, picture(1e6 + moment))
        heat = Brightness().detect([frame.image]).maps[0]
        for crop in sampler.crops(frame, heat):
            named = name_pictures(names, [crop.picture])
            vector = vote(named).vector
            assert vector is not None
            vectors.append(vector)
            at_s.append(moment)
    half, times = np.full(len(at_s), 0.5), np.array(at_s)
    crops = Crops(np.stack(vectors), half, half, times, times.astype(np.int64))
    done, _ = calibrated(Bindings("d", "light", "n"), crops, 5400.0)
    how = Sampling(EVERY_S, len(at_s) / 90, Light(50.0, 1.0))
    return replace(done, measured={"sampling": how.as_json()})


@dataclass(slots=True)
class Session:
    """One session of a run, as it can be killed and taken up again."""

    store: Store
    site: SiteCalibration
    names: LightNames
    said: list[str]

    def audit(self, shown: Iterable[Frame], kill_at_s: float = np.inf) -> Holding:
        run = self.store.last_run() or self.store.begin_run("audit", {})
        known = next(iter(self.store.sources(run.id)), None)
        source = known or SourceProgress("hall", VIDEO, SIZE, 0.0, 0.0)
        source.frames = source.done_frames
        holding = Holding(self.site, self.said.append)
        words = Words(site=holding, uncalibrated=lambda: holding.said)
        camera = Camera(SIZE, live=False, settings=CameraSettings(video=VIDEO, words=words))
        recorder = Recorder(self.store, run.id, source)
        lookout = Lookout(camera, Brightness(), AtOnce(self.names), recorder)
        from_s = warm_s(self.store, run.id, source)
        take_up(self.store, run.id, lookout, self.said.append)
        watched = Watched(VIDEO, VIDEO, seen_s=recorder.counted_s)
        lookout.hold(holding, self.store.bets(run.id, holding.key), watched)
        checkpoints = Checkpoints(lookout)
        for batch in batched((one for one in shown if one.pts_s >= from_s), 8):
            if batch[0].pts_s >= kill_at_s:
                return holding
            lookout.look(batch)
            checkpoints.save([])
        source.finished = True
        lookout.save(lookout.finish())
        return holding


def audited(folder: Path, site: SiteCalibration, shown: Iterable[Frame]) -> tuple[Holding, Store]:
    store = Store(folder)
    return Session(store, site, LightNames(), []).audit(shown), store


@pytest.fixture(scope="module")
def darkened(site: SiteCalibration, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """What an audit kept of footage that gets darker."""
    return audited(tmp_path_factory.mktemp("dark"), site, frames())[1]


def voids(store: Store) -> list[Event]:
    return [event for event in store.events(1) if event.name == VOID]


def test_light_that_changes_is_told_once_with_when_and_why(darkened: Store):
    (void,) = voids(darkened)
    assert void.kind == "camera"
    assert void.said.startswith("Calibration void since ")
    assert "light changed (mean grey 50 before, 29 since)" in void.said
    assert void.said.endswith("It goes on uncalibrated; run nomaly calibrate again.")
    assert CHANGE_S - 600 <= void.start_s <= CHANGE_S + 120
    assert CHANGE_S < void.snapshot_s < CHANGE_S + 1200
    assert (void.state, void.cut, void.end_s) == ("closed", False, LAST_S - STEP_S)
    assert darkened.media("snapshots", void).exists()


def test_verdicts_rest_on_the_calibration_until_it_is_void(darkened: Store):
    before, after = (event for event in darkened.events(1) if event.kind == "object")
    assert before.evidence is not None
    assert before.evidence.site_p is not None
    assert before.uncalibrated == ""
    assert "uncalibrated" not in before.as_json()
    assert after.evidence is not None
    assert after.evidence.site_p is None
    assert after.uncalibrated.startswith("calibration void since ")
    assert after.as_json()["uncalibrated"] == after.uncalibrated
    assert after.as_json()["belongs"]["provisional"]
    receipt = of_event(after, lambda _: None)
    assert receipt.as_json()["uncalibrated"] == after.uncalibrated
    shown = CliRunner().invoke(cli, ["events", "why", str(darkened.folder), after.id])
    assert f"Uncalibrated: {after.uncalibrated}.\n" in shown.stdout


def test_run_and_report_say_that_it_is_void(darkened: Store):
    (void,) = voids(darkened)
    run = darkened.required_run()
    assert audit_result(darkened, run).as_json()["calibration_void"] == [void.said]
    assert watch_summary(darkened, run)["calibration_void"] == [void.said]
    page = render_report(darkened, run)
    assert f'<p class="note">{void.said}</p>' in page
    assert "uncalibrated: calibration void since" in page


def test_a_view_that_does_not_change_keeps_its_calibration(site: SiteCalibration, tmp_path: Path):
    holding, store = audited(tmp_path, site, frames(change_s=np.inf))
    with store:
        assert voids(store) == []
        assert holding.said == ""
        bets = store.bets(1, holding.key)
        # One a minute, by chance.
        assert 30 <= len(bets) <= 75
        for event in store.events(1):
            assert event.evidence is not None
            assert event.evidence.site_p is not None
        assert audit_result(store, store.required_run()).as_json()["calibration_void"] == []


@pytest.mark.parametrize("kill_at_s", [900.0, 2700.0])
def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(
    site: SiteCalibration, darkened: Store, tmp_path: Path, kill_at_s: float
):
    with Store(tmp_path) as store:
        session = Session(store, site, LightNames(), [])
        session.audit(frames(), kill_at_s)
        void_before = bool(voids(store))
        session.said.clear()
        again = session.audit(frames())
        assert store.bets(1, again.key) == darkened.bets(1, again.key)
        assert voids(store) == voids(darkened)
        assert sum(text.startswith("Calibration void") for text in session.said) == 1
        assert void_before == (kill_at_s == 2700.0)


@pytest.mark.parametrize(("every_s", "for_s"), [(40.0, 10.0), (120.0, 60.0)])
def test_what_is_followed_is_not_bet_on_whether_it_was_told_or_not(
    site: SiteCalibration, tmp_path: Path, every_s: float, for_s: float
):
    holding, store = audited(tmp_path, site, often(every_s, for_s))
    with store:
        assert voids(store) == []
        assert holding.said == ""
        bets = store.bets(1, holding.key)
        assert len(bets) >= 15
        there = {one.place for one in bets if one.at_s % every_s < for_s}
        assert THINGS_PLACE not in there


@pytest.mark.parametrize("kill_at_s", [250.0, 900.0])
def test_a_run_with_many_things_that_was_killed_bets_as_if_it_had_not_been(
    site: SiteCalibration, tmp_path: Path, kill_at_s: float
):
    shown = often(120.0, 60.0)
    whole, store = audited(tmp_path / "whole", site, shown)
    with store, Store(tmp_path / "killed") as killed:
        session = Session(killed, site, LightNames(), [])
        session.audit(shown, kill_at_s)
        again = session.audit(shown)
        assert killed.bets(1, again.key) == store.bets(1, whole.key)


def test_a_place_whose_crop_was_no_number_is_taken_also_for_who_goes_on(site: SiteCalibration):
    class Nothing(LightNames):
        def vector(self, image: Pixels) -> np.ndarray:
            return super().vector(image) * np.float32(np.nan)

    def bets(at_s: float, before: Sequence[Bet]) -> list[Bet]:
        aside = AtOnce(Nothing()).aside
        drifting = Drifting(Holding(site), Sampling(10.0, 0.1), Watched("a", "a"), aside, before)
        drifting.see([a_frame(at_s)], a_map((1, 2, 2))[None], np.ones(1, np.float32), [[]])
        assert drifting.findings(wait=True) == []
        return drifting.take_bets()

    first = bets(61.0, ())
    assert [one.distance for one in first] == [np.inf]
    assert bets(75.0, first) == []
    assert len(bets(121.0, first)) == 1


def test_while_too_many_crops_wait_no_place_is_used_up(site: SiteCalibration):
    asked: list[tuple[Sequence[Picture], Future[Mapping[Picture, tuple[Naming, ...]]]]] = []

    def aside(pictures: Sequence[Picture]) -> Future[Mapping[Picture, tuple[Naming, ...]]]:
        asked.append((pictures, Future()))
        return asked[-1][1]

    drifting = Drifting(Holding(site), Sampling(10.0, 0.1), Watched("a"), aside, ())

    def see(at_s: float) -> None:
        drifting.see([a_frame(at_s)], a_map((1, 2, 2))[None], np.ones(1, np.float32), [[]])

    for minute in range(MOST_ASKED + 1):
        see(60.0 * minute)
    assert len(asked) == MOST_ASKED
    for pictures, future in asked:
        future.set_result(name_pictures(LightNames(), pictures))
    drifting.findings()
    see(60.0 * MOST_ASKED + 10)
    assert len(asked) == MOST_ASKED + 1


def held(key: str, uri: str, at_s: float, distance: float, light: float = 50.0) -> Bet:
    return Bet(uri, key, at_s, round(1e6 * at_s), 1, distance, light)


def usual(site: SiteCalibration, count: int, seed: int = 0) -> list[float]:
    """Distances as the calibration's own."""
    assert site.site_ranks is not None
    return np.random.default_rng(seed).choice(site.site_ranks.ordered, count).tolist()


def test_of_two_recordings_of_the_same_time_the_right_one_is_told(site: SiteCalibration):
    holding = Holding(replace(site, measured={"sampling": Sampling(1.0, 1.0).as_json()}))
    far = [*usual(site, 100, seed=1), *[1e6] * 100]
    bets = [held("", "a", 60.0 * n, one) for n, one in enumerate(usual(site, 200))]
    bets += [held("", "b", 60.0 * n, one, 50 - 20 * (n >= 100)) for n, one in enumerate(far)]
    holding.recall(bets)
    since_s = holding.since("b")
    assert holding.since("a") is None
    assert since_s is not None
    assert 60 * 90 <= since_s <= 60 * 102
    assert holding.said.endswith("light changed (mean grey 50 before, 30 since)")


def test_a_calibration_that_is_void_since_another_day_is_told_with_that_day(
    site: SiteCalibration,
):
    for apart_s in (1.0, 7200.0):
        holding = Holding(site)
        holding.recall([held("", "a", apart_s * n, 1e6) for n in range(60)])
        assert holding.void is not None
        when = since_when(holding.void.since_us, holding.void.noticed_us)
        assert (len(when) > len("14:02")) == (apart_s > 1)
        assert holding.said.startswith(f"calibration void since {when}: ")


def test_after_a_period_bets_begin_anew_and_a_restart_does_the_same(site: SiteCalibration):
    quiet = [held("", "a", float(n), one) for n, one in enumerate(usual(site, PERIOD))]
    far = [held("", "a", float(PERIOD + n), 1e6) for n in range(60)]
    going, again, alone = Holding(site), Holding(site), Holding(site)
    for one in (*quiet, *far):
        going.bet(one)
    again.recall(quiet)
    assert again.said == ""
    for one in far:
        again.bet(one)
    alone.recall(far)
    assert alone.said
    assert going.void is not None
    assert going.void == again.void == alone.void
    assert going.sentence == again.sentence == alone.sentence
    # A period that is full and void by its last bet is not forgotten.
    last = next(n for n, one in enumerate(far) if one.time_us == going.void.noticed_us) + 1
    full = Holding(site)
    full.recall([*quiet, *far[:last]])
    assert full.void == going.void


def test_another_calibration_ends_it_and_the_same_one_does_not(
    site: SiteCalibration, darkened: Store
):
    assert site.site_ranks is not None
    newer = replace(site, site_ranks=replace(site.site_ranks, ordered=site.site_ranks.ordered + 1))
    for calibration, void in ((site, True), (replace(site, names=None), True), (newer, False)):
        holding = Holding(calibration)
        holding.recall(darkened.bets(1, holding.key))
        assert bool(holding.said) == void
    vector = LightNames().vector(picture(0.0))
    assert Holding(site).site_p(vector) is not None


def test_a_clock_that_goes_back_harms_nothing(site: SiteCalibration, tmp_path: Path):
    holding, store = audited(tmp_path, site, frames(clock_back_s=1800.0))
    with store:
        (void,) = voids(store)
        assert holding.said
        assert void.end_us >= void.start_us
        assert void.end_s >= void.start_s


def test_crops_that_are_no_numbers_harm_nothing(site: SiteCalibration, tmp_path: Path):
    with Store(tmp_path) as store:
        holding = Session(store, site, Broken(), []).audit(frames())
        bets = store.bets(1, holding.key)
        told = [one.distance for one in bets if np.isfinite(one.distance)]
        assert 0 < len(told) < len(bets)
        assert holding.said
    assert not holding.bet(Bet(VIDEO, holding.key, 1.0, 1, 1, float("nan"), 50.0))


def test_a_live_camera_bets_beside_its_frames_and_tells_the_same(
    site: SiteCalibration, tmp_path: Path
):
    holding = Holding(site)
    words = Words(site=holding, uncalibrated=lambda: holding.said)
    with Store(tmp_path) as store, Beside(LightNames()) as teller:
        run = store.begin_run("watch", {})
        recorder = Recorder(store, run.id, SourceProgress("hall", "rtsp://hall", SIZE, 0.0, 0.0))
        camera = Camera(SIZE, live=True, settings=CameraSettings(words=words))
        lookout = Lookout(camera, Brightness(), teller, recorder)
        lookout.hold(holding, (), Watched("rtsp://hall"))
        told = list[tuple[str, bool]]()
        for frame in frames()[: round(2700 / STEP_S)]:
            lookout.look([frame])
            found = lookout.findings()
            lookout.save(found)
            told += states(found)
        (open_one,) = voids(store)
        found = lookout.finish(cut=True)
        lookout.save(found)
        told += states(found)
        # As any trouble of the camera: whoever listens for `opened` hears of it.
        assert told == [("opened", False), ("closed", True)]
        assert open_one.state == "opened"
        (void,) = voids(store)
        assert (void.state, void.cut, void.video) == ("closed", True, "")
        assert holding.said
        noticed = store.bets(run.id, holding.key)[-1]
        assert (void.snapshot_s, void.end_s) == (noticed.at_s, 2700 - STEP_S)


def states(found: Sequence[Finding]) -> list[tuple[str, bool]]:
    return [(one.event.state, one.event.cut) for one in found if one.event.name == VOID]


def test_a_watch_that_is_started_again_tells_that_it_is_void_as_long_as_it_runs(
    site: SiteCalibration, tmp_path: Path
):
    with Store(tmp_path, sinks=["a"]) as store:
        run = store.begin_run("watch", {})
        for part in (frames()[:270], frames()[270:]):
            holding = Holding(site)
            source = SourceProgress("hall", "rtsp://hall", SIZE, 0.0, 0.0)
            lookout = Lookout(
                Camera(SIZE, live=True),
                Brightness(),
                AtOnce(LightNames()),
                Recorder(store, run.id, source),
            )
            lookout.hold(holding, store.bets(run.id, holding.key), Watched("rtsp://hall"))
            for frame in part:
                lookout.look([frame])
                lookout.save(lookout.findings())
            assert [one.state for one in voids(store)] == ["opened"]
            lookout.save(lookout.finish(cut=True))
        (void,) = voids(store)
        assert (void.state, void.end_s) == ("closed", LAST_S - STEP_S)
        assert store.media("snapshots", void).exists()
        bodies = [one.body for one in store.outbox.waiting("a", 99)]
        sent = [body["event"] for body in bodies if body.get("name") == VOID]
        assert sent == ["opened", "closed", "opened", "closed"]


def test_nobody_asks_a_calibration_that_does_not_tell_how_it_was_taken(site: SiteCalibration):
    said: list[str] = []
    assert Holding(replace(site, measured={}), said.append).sampling is None
    assert said[0].endswith("run nomaly calibrate again.")
    assert Holding(replace(site, measured={"sampling": {"every_s": -1}})).sampling is None
    without: list[str] = []
    assert Holding(replace(site, site_ranks=None), without.append).sampling is None
    assert without == []


def test_how_crops_were_taken_comes_back_as_it_was_kept():
    for how in (Sampling(10.8, 13.5, Light(120.25, 2.5)), Sampling(1.0, 0.5)):
        assert Sampling.of(json.loads(json.dumps(how.as_json()))) == how
    assert Sampling(10.8, 13.5).share(2.0) == pytest.approx(2 / 13.5)
    assert Sampling(1.0, 0.5).share(1.0) == 1


def test_the_reason_is_the_light_only_if_that_changed():
    assert reason_of(Light(120.0, 1.0), [60.0]) == (
        "light changed (mean grey 120 before, 60 since)"
    )
    for before, since in ((Light(120.0, 30.0), [60.0]), (None, [60.0]), (Light(1.0, 1.0), [])):
        assert reason_of(before, since) == "what is seen there looks otherwise"
