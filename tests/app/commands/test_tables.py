"""What the terminal tells first: a noun only where it is a fact."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.commands.events_tables import print_events_of
from app.commands.name_tables import print_names, print_names_csv
from app.commands.tables import print_events, print_state, watched
from app.events.event import Event
from app.events.folders import StoreFolder
from app.events.store import Store
from app.names.naming import NamedImage
from app.search.listed import Listed
from app.watching.drawing import label
from app.watching.results import AuditResult, Highest, audit_result
from calibration.belonging import Evidence
from novic.vocabulary import NounScore, ThingKind
from tests.app.events.findings import a_finding, changes

SURE = replace(a_finding().event, candidates=(("helmet", 0.8), ("cap", 0.1)), sure_from=0.6)
GUESS = replace(SURE, candidates=(("drug", 0.07), ("oil", 0.05)))
ALARM = replace(SURE, candidates=(("gun", 0.8), ("drill", 0.1)), sure_from=0.95)
BIRD = ThingKind("bird", 0.9, sure=True, maybe="crow")
BY_KIND = replace(SURE, candidates=(("crow", 0.4), ("pigeon", 0.3)), thing=BIRD)
PERHAPS = replace(BY_KIND, thing=replace(BIRD, p=0.6, sure=False))
NOBODY = replace(SURE, candidates=())
BLACK = replace(NOBODY, kind="camera", name="black picture")


@pytest.mark.parametrize(
    ("event", "sure", "headline"),
    [
        (SURE, True, "helmet"),
        (GUESS, False, "something unnamed"),
        (ALARM, False, "something unnamed"),
        (BY_KIND, False, "bird (crow?)"),
        (PERHAPS, False, "something unnamed"),
        (NOBODY, False, "something unnamed"),
        (BLACK, True, "black picture"),
    ],
)
def test_an_events_headline_is_its_noun_only_from_the_line_on(
    event: Event, sure: bool, headline: str
):
    told = event.as_json()
    assert (told["sure"], told["headline"]) == (event.sure, event.headline) == (sure, headline)
    assert label(event).startswith(headline)


@pytest.mark.parametrize(
    ("event", "p"), [(SURE, 0.8), (BY_KIND, 0.9), (PERHAPS, None), (GUESS, None), (BLACK, None)]
)
def test_the_probability_beside_a_headline_is_of_what_it_says(event: Event, p: float | None):
    assert event.headline_p == event.as_json()["headline_p"] == p
    assert ("%" in label(event)) == (p is not None)


def rows_of(text: str, event_count: int) -> list[str]:
    return [line.strip() for line in text.splitlines()[1 : 1 + event_count]]


def after_camera(row: str) -> str:
    return " ".join(row.split("hall")[1].split())


def test_a_table_of_events_keeps_guesses_behind(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "120")
    events = [SURE, GUESS, ALARM, BLACK]
    print_events(AuditResult(Path("out"), events, 9, 9, 1.0, 0.5, 30.0, False, [], [], []))
    sure, guess, alarm, black = rows_of(capsys.readouterr().out, 4)
    assert sure.split()[0] == "1"
    assert sure.split()[3:] == ["hall", "helmet", "80%", "cap", "10%", "2.5"]
    assert after_camera(guess) == "something unnamed drug 7%, oil 5% 2.5"
    assert after_camera(alarm) == "something unnamed gun 80%, drill 10% 2.5"
    assert after_camera(black) == "camera: black picture"


def test_an_audit_without_events_tells_its_highest_score_and_when(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    with Store(tmp_path) as store:
        run = store.begin_run("audit", {})
        store.save(run.id, changes(peaks={3: 0.4, 62: 0.98, 63: 0.2}))
        result = audit_result(store, store.end_run(run.id, "finished", {}))
    assert result.as_json()["highest"] == {"video": "a.mp4", "at_s": 62, "score": 0.98}
    print_events(result)
    first = capsys.readouterr().out.splitlines()[0]
    assert (
        first == "Nothing unusual: the highest score was 0.98 of the threshold, at 1:02.0 of a.mp4."
    )


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (SURE, "helmet 80%, cap 10%"),
        (GUESS, "something unnamed (drug 7%, oil 5%)"),
        (NOBODY, "something unnamed"),
    ],
)
def test_a_line_of_a_watch_tells_a_guess_as_one(
    capsys: pytest.CaptureFixture[str], event: Event, words: str
):
    print_state({"event": "opened", **event.as_json()})
    assert capsys.readouterr().out.split(maxsplit=2)[2].strip() == words


NAMED = [
    NamedImage("a.jpg", (NounScore("cup", 0.9), NounScore("mug", 0.05)), sure=True),
    NamedImage("b.jpg", (NounScore("drug", 0.07), NounScore("oil", 0.05))),
]


def test_names_of_images_keep_the_same_rule(capsys: pytest.CaptureFixture[str]):
    print_names(NAMED)
    assert capsys.readouterr().out.splitlines() == [
        "a.jpg\tcup\t90%\tmug 5%",
        "b.jpg\tsomething unnamed\t\tdrug 7%, oil 5%",
    ]
    print_names_csv(NAMED)
    assert capsys.readouterr().out.splitlines() == [
        "path,rank,noun,p,error,sure",
        "a.jpg,1,cup,0.9000,,1",
        "a.jpg,2,mug,0.0500,,0",
        "b.jpg,1,drug,0.0700,,0",
        "b.jpg,2,oil,0.0500,,0",
    ]
    told = [json.loads(json.dumps(image.as_json())) for image in NAMED]
    assert [(one["sure"], one["headline"]) for one in told] == [
        (True, "cup"),
        (False, "something unnamed"),
    ]


@pytest.mark.parametrize(
    ("events", "seconds", "highest", "lines"),
    [
        (
            [],
            10.0,
            Highest("hall.mp4", 41, 0.978),
            [
                "Nothing unusual: the highest score was 0.98 of the threshold, at 0:41.0 of "
                "hall.mp4.",
                "0 events in 0:30.0 of footage, 90 frames at 9.0 frames/s, 3.0 times as fast as "
                "the recording.",
            ],
        ),
        (
            [],
            60.0,
            Highest("hall.mp4", 2, 1.3),
            [
                "Nothing unusual: the highest score was 1.30 of the threshold, at 0:02.0 of "
                "hall.mp4, but not for long enough to be an event.",
                "0 events in 0:30.0 of footage, 90 frames at 1.5 frames/s, 0.5 times the speed of "
                "the recording.",
            ],
        ),
        (
            [SURE],
            10.0,
            Highest("hall.mp4", 2, 2.5),
            [
                "1 event in 0:30.0 of footage, 90 frames at 9.0 frames/s, 3.0 times as fast as "
                "the recording."
            ],
        ),
    ],
)
def test_the_last_lines_say_what_came_out_and_how_fast(
    events: list[Event],
    seconds: float,
    highest: Highest,
    lines: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    for name in ("report.html", "events.jsonl", "normal.jpg", "other.txt"):
        (tmp_path / name).touch()
    result = AuditResult(tmp_path, events, 90, 90, seconds, 1.0, 30.0, False, [], [], [], highest)
    print_events(result)
    said = capsys.readouterr().out.splitlines()
    assert said[-2 - len(lines) : -2] == lines
    assert said[-2:] == [
        f"Report: {tmp_path / 'report.html'}",
        "Beside it: events.jsonl, normal.jpg",
    ]


@pytest.mark.parametrize(
    ("reasons", "events", "line"),
    [
        (["only cat is told (--tell)"], [], "1 event is silent, 1 by --tell: kept,"),
        (
            ["only cat is told (--tell)", "verdict 1: dog is normal here, said of 1"],
            [SURE],
            "2 more events are silent, 1 by --tell and 1 by nomaly feedback: kept,",
        ),
    ],
)
def test_what_is_silent_is_told_by_its_reason(
    reasons: list[str], events: list[Event], line: str, capsys: pytest.CaptureFixture[str]
):
    muted = [replace(SURE, muted=reason) for reason in reasons]
    highest = Highest("hall.mp4", 7, 4.14)
    print_events(
        AuditResult(
            Path("out"), events, 9, 9, 1.0, 0.5, 30.0, False, [], [], [], highest, muted=muted
        )
    )
    said = capsys.readouterr().out
    assert line in said
    assert "Nothing unusual" not in said


@pytest.mark.parametrize(
    ("evidence", "shown"),
    [
        (Evidence((("helmet", 0.8, 0.0),), 0.2), False),
        (Evidence((("helmet", 0.8, 2.0),), 0.2), True),
        (Evidence((("helmet", 0.8, 0.0),), 0.2, site_p=0.3), True),
    ],
)
def test_what_belongs_is_shown_where_it_is_known_what_is_usual(
    evidence: Evidence,
    shown: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("COLUMNS", "200")
    place = StoreFolder("hall", Path("hall"))
    print_events_of([Listed(replace(SURE, evidence=evidence), place)])
    assert ("not expected here" in capsys.readouterr().out) == shown


def test_a_run_that_was_taken_up_tells_no_speed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    print_events(AuditResult(tmp_path, [], 90, 20, 5.0, 1.0, 30.0, False, [], [], []))
    assert "0 events in 0:30.0 of footage, 20 frames at 4.0 frames/s.\n" in capsys.readouterr().out


def test_a_watch_counts_what_was_silent():
    told = {"watched_s": 60.0, "learned_s": 0, "frames": 9, "dropped": 0, "report": None}
    summary = told | {"events": [], "gaps": [], "muted": [{}]}
    assert "0 dropped, 1 silent event kept. Report" in watched(summary)
