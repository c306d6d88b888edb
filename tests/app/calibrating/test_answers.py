"""What people confirmed, read from lines of events.jsonl."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.calibrating.answers import read_answers
from app.errors import UsageError
from app.events.store import Store
from app.watching.namer import Elected, Words
from calibration.site.calibrated import Bindings, SiteCalibration
from novic.certainty import Scaling
from tests.app.events.findings import a_finding, changes

SURER = Scaling(2.0, 1.0)


def line(number: int = 0, **said: Any) -> str:  # noqa: ANN401
    event = {"id": f"e{number}", "kind": "object", "start_us": number, "score": 1.5}
    return json.dumps(event | {"candidates": [["cat", 0.5], ["dog", 0.2]]} | said)


def written(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "confirmed.jsonl"
    file.write_text("\n".join(lines))
    return file


def test_answers_are_read_and_what_nobody_answered_is_left_out(tmp_path: Path):
    file = written(
        tmp_path,
        line(1, confirmed="Cat"),
        line(2, normal=True),
        "",
        line(3),
        line(4, kind="camera", confirmed="black picture"),
        line(1, confirmed="cat"),
    )
    answers = read_answers(file)
    first, second = answers.events
    assert (first.noun, first.right, first.rest) == ("cat", True, pytest.approx(0.3))
    assert second.is_normal
    assert answers.open == 2


def test_answers_that_contradict_each_other_are_refused(tmp_path: Path):
    file = written(tmp_path, line(1, confirmed="cat"), line(2, normal=True), line(1, normal=True))
    with pytest.raises(UsageError, match=r'lines 1 and 3 contradict .* e1 was "cat" and normal'):
        read_answers(file)
    with pytest.raises(UsageError, match="line 1: says what it was and that it was normal"):
        read_answers(written(tmp_path, line(1, confirmed="cat", normal=True)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (line(1, confirmed="cat")[:-9], "line 1: is no JSON, it may be cut off"),
        ("[1]", "is no event"),
        (line(1, confirmed=""), "must be a noun"),
        (line(1, confirmed=3), "must be a noun"),
        (line(1, normal=False), "must be true"),
        (line(1, confirmed="cat", score=float("nan")), r"score is no number \(NaN or inf"),
        (line(1, confirmed="cat", level=float("inf")), "level is no number"),
        (line(1, confirmed="cat", candidates=[["cat", float("nan")]]), "candidates is no number"),
        (line(1, confirmed="cat", candidates=[["cat", 1.7]]), "needs id, start_us, score"),
        (line(1, confirmed="cat", candidates=[["a", 0.9], ["b", 0.9]]), "needs id"),
        ('{"confirmed": "cat"}', "needs id"),
        (line(1, confirmed="cat").replace('"start_us": 1', '"start_us": 1e999'), "needs id"),
        (line(1, confirmed="cat", score=10**400), "needs id"),
        (line(1, confirmed="cat", raw_p=[0.5]), "needs id"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_lines_that_are_no_answers_are_named(tmp_path: Path, text: str, why: str):
    with pytest.raises(UsageError, match=why):
        read_answers(written(tmp_path, text))


def test_p_that_calibrations_scaled_is_read_as_the_decoder_gave_it(tmp_path: Path):
    elected = Elected((("cat", 0.5), ("dog", 0.2)), None, rest=0.3)
    plain = replace(a_finding(1).event, candidates=())
    bindings = Bindings("a", "b", "c")
    sites = [None, *(SiteCalibration(bindings, names=one) for one in (SURER, Scaling(0.4, -1.0)))]
    told = [Words(site=site).named(plain, elected) for site in sites]
    assert len({event.p for event in told}) == 3
    with Store(tmp_path) as store:
        run_id = store.begin_run("watch", {}).id
        store.save(run_id, changes(*(replace(a_finding(1), event=one) for one in told[1:2])))
        [kept] = store.events(run_id)
    assert kept.raw_p == (0.5, 0.2)
    lines = [json.dumps({**one.as_json(), "confirmed": "cat"}) for one in (*told, kept)]
    read = [read_answers(written(tmp_path, one)).events[0] for one in lines]
    assert [[one.p for one in event.candidates] for event in read] == [[0.5, 0.2]] * 4


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_answers(tmp_path / "none.jsonl")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no UTF-8"):
        read_answers(tmp_path / "binary.jsonl")
