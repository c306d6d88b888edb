"""Clips of the events of an audit."""

from dataclasses import replace
from pathlib import Path

from app.events.event import Finding
from app.events.store import Changes, SourceProgress, Store
from app.progress import Reporter
from app.report.page import write_report
from app.sources.joined import Part, Recorded
from app.watching.clip_rule import ClipRule
from app.watching.cut_out import cut_clips
from tests.app.events.findings import a_finding
from tests.peers.clip_script import shown_in
from tests.peers.pattern import numbered, picture, write_video

RULE = ClipRule(before_s=1.0, after_s=0.5, longest_s=3.0)
BEGAN_US = 10**15


def audited(store: Store, recorded: Recorded, *spans_s: tuple[float, float]) -> int:
    """A run that found events in these spans."""
    run = store.begin_run("audit", {})
    findings = [
        Finding(
            replace(
                a_finding(number, start_s).event,
                video=recorded.uri,
                end_s=end_s,
                start_us=BEGAN_US + round(start_s * 1e6),
            ),
            a_finding(number, start_s).picture,
            (),
        )
        for number, (start_s, end_s) in enumerate(spans_s)
    ]
    source = SourceProgress("hall", recorded.uri, (60, 80), 0.0, 0.0, seen_s=30.0, finished=True)
    store.save(run.id, Changes(source, findings))
    return run.id


def test_every_event_gets_its_stretch_of_its_file(tmp_path: Path):
    first, second = (numbered(tmp_path / f"{name}.mp4", 150) for name in "ab")
    recorded = Recorded((Part(first, 0.0, 6.0), Part(second, 100.0, 6.0)))
    with Store(tmp_path / "out") as store:
        run_id = audited(store, recorded, (3.2, 4.0), (0.4, 5.8), (103.2, 103.4))
        assert cut_clips(store.folder, store.events(run_id), [recorded], RULE, Reporter()) == []
        events = {event.id: event for event in store.events(run_id)}
        for event in events.values():
            assert event.clip_from_us is not None
            shown = shown_in(store.folder / event.clip)
            at_s = (event.start_us - event.clip_from_us) / 1e6
            number = round((event.start_s % 100) * 25)
            assert abs(shown.at_s[shown.numbers.index(number)] - at_s) <= 0.002
            assert shown.at_s[-1] < 4.1
        # What is there is not made again, and the report plays it.
        assert cut_clips(tmp_path, [*events.values()], [recorded], RULE, Reporter()) == []
        write_report(store, store.run(run_id))
        page = (store.folder / "report.html").read_text()
        for event in events.values():
            assert event.clip_from_us is not None
            at_s = max((event.start_us - event.clip_from_us) / 1e6 - 1, 0)
            assert f'href="{event.clip}#t={at_s:.1f}"' in page


def test_events_that_are_told_again_keep_their_clips(tmp_path: Path):
    recorded = Recorded((Part(numbered(tmp_path / "a.mp4", 150), 0.0, 6.0),))
    with Store(tmp_path / "out") as store:
        run_id = audited(store, recorded, (3.2, 4.0))
        cut_clips(store.folder, store.events(run_id), [recorded], RULE, Reporter())
        (event,) = store.events(run_id)
        bare = replace(event, clip_from_us=None, frames=99)
        source = SourceProgress("hall", recorded.uri, (60, 80), 0.0, 0.0, seen_s=30.0)
        store.save(run_id, Changes(source, [Finding(bare, None, ())]))
        (again,) = store.events(run_id)
    assert again.frames == 99
    assert again.clip == event.clip != ""


def test_why_clips_are_missing_is_said_once_for_each_reason(tmp_path: Path):
    video = write_video(tmp_path / "a.avi", map(picture, range(100)), "mjpeg", "yuvj420p")
    gone = tmp_path / "gone.mp4"
    for recorded, why in (
        (Recorded((Part(video, 0, 4),)), "a.avi: no clips can be cut out of it; that works for "),
        (Recorded((Part(gone, 0, 4),)), "gone.mp4: no clips could be written ("),
    ):
        with Store(tmp_path / f"out-{recorded.name}") as store:
            run_id = audited(store, recorded, (1.0, 2.0), (2.0, 3.0))
            events = store.events(run_id)
            (fault,) = cut_clips(store.folder, events, [recorded], RULE, Reporter())
            assert fault.startswith(why)
            assert [event.clip for event in store.events(run_id)] == ["", ""]
