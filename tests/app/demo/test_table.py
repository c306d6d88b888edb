"""The demo's table tells a noun as a fact only where the audit did."""

from pathlib import Path

import pytest

from app.demo.footage import plan_demo
from app.demo.run import DemoResult
from app.demo.score import score_demo
from app.demo.table import print_demo
from app.watching.audit import AuditResult


def test_a_guess_stands_behind_the_headline(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "80")
    plan = plan_demo(0)
    sides = [
        (placed.box.x1, placed.box.y1, placed.box.x2, placed.box.y2) for placed in plan.placements
    ]
    events = [
        {
            "start_s": placed.rest_s,
            "end_s": placed.leave_s,
            "box": box,
            "candidates": [("crash helmet" if number else "drug", 0.34 if number else 0.8)],
            "sure": not number,
            "headline": "something unnamed" if number else "drug",
            "headline_p": None if number else 0.8,
        }
        for number, (placed, box) in enumerate(zip(plan.placements[:2], sides, strict=False))
    ]
    audited = AuditResult(Path("out"), [], 9, 9, 1.0, 0.5, 30.0, False, [], [], [])
    print_demo(DemoResult(plan, audited, score_demo(plan, events, {})))
    _, sure, guess, missed, *rest = capsys.readouterr().out.splitlines()
    assert "drug 80%" in sure
    assert "something unnamed" not in sure
    assert guess.split("something unnamed")[1].split()[:2] == ["crash", "helmet"]
    assert guess.rstrip().endswith("34%")
    assert " ".join(sure.split()).endswith("drug 80% wrong")
    assert "not found" in missed
    assert rest[-5:-2] == [
        "2 of 8 objects found (2 of the 7 wider than 6% of the frame); 0 false events in 187 s of "
        "normal footage.",
        "Told as a fact, by name or by kind: 1, rightly 0; the other 1 that were found are told as "
        "something unnamed.",
        "Guesses, told or not: the likeliest noun is right for 0, one of the three likeliest for "
        "0.",
    ]
