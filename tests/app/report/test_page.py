"""What the report tells, how heavy it is, and that its colours can be read."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from app.events.store import Store
from app.report.page import write_report
from app.sources.base import Gap
from novic.vocabulary import TIMES, ThingKind
from tests.app.events.findings import a_finding, begin, changes
from tests.app.report.runs import (
    BEGAN_US,
    a_fault,
    a_run,
    a_seen,
    a_source,
    of_site,
    parted,
    report_of,
)

EVENT_BYTES = 15_000
"""What an event may weigh in a report of more than 50."""
FIVE = tuple((f"some rather long noun {number}", 0.2 - 0.01 * number) for number in range(5))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as opened:
        yield opened


def test_the_report_holds_everything_and_needs_nothing(store: Store):
    run_id = begin(store, a_finding(1, noun="<b>cat</b>"), a_finding(2, 20.0, "bicycle"))
    gap = Gap(5, 2_000_005, "stalled", "no frame for 2 s")
    store.save(run_id, changes(peaks={0: 0.5, 1: 3.0}, gaps=[gap]))
    facts = {"seconds": 2.0, "detector_seconds": 1.0, "analysed": 20}
    page = write_report(store, store.end_run(run_id, "stopped", facts)).read_text()
    assert "2 events</b>: 0 named, 2 unnamed" in page
    assert "&lt;b&gt;cat&lt;/b&gt;" in page
    assert "<b>cat</b>" not in page
    # Of each the crop, the frame and the heat.
    assert page.count("data:image/webp;base64,") == 6
    assert "stopped before the end" in page
    assert "no frame for 2 s" in page
    assert "10.0 frames/s" in page
    assert not re.findall(r'(?:src|href)="(?!data:|#|snapshots/)[^"]*', page)
    assert "http:" not in page
    assert "https:" not in page


def test_names_cannot_break_out_of_the_page(store: Store):
    evil = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    source = a_source(camera=evil, uri=evil, warning=evil)
    page = write_report(store, a_run(store, a_seen(0, ((evil, 0.9),)), source=source)).read_text()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert page.count("</script>") == 3


def test_a_headline_is_a_noun_only_where_it_is_sure(store: Store):
    sure, guess = a_seen(0, (("cat", 0.8),)), a_seen(1, (("drug", 0.07), ("oil", 0.05)))
    page = write_report(store, a_run(store, sure, guess, a_fault(9))).read_text()
    headlines = re.findall(r"<h3[^>]*>([^<]*)</h3>", page)
    assert headlines == ["cat", "something unnamed", "black picture"]
    assert "perhaps drug 7%, oil 5%" in page
    assert re.findall(r"<h2>([A-Z][a-z ]+) <span", page) == [
        "Named",
        "Something unnamed",
        "The camera itself",
    ]


def test_what_only_its_kind_is_known_of_has_a_section_of_its_own(store: Store):
    bird = ThingKind("bird", 0.9, sure=True, maybe="crow")
    page = write_report(store, a_run(store, a_seen(0, (("crow", 0.4),), thing=bird))).read_text()
    assert re.findall(r"<h3[^>]*>([^<]*)</h3><span>([^<]*)</span>", page) == [
        ("bird (crow?)", "90%")
    ]
    assert "0 named, 1 of a sure kind, 0 unnamed" in page
    assert "perhaps crow 40%" in page
    assert re.findall(r'<button type="button" data-noun="([^"]*)"', page) == ["bird"]


def test_a_likely_kind_is_the_first_guess(store: Store):
    bird = ThingKind("bird", 0.6, sure=False, maybe="crow")
    page = write_report(store, a_run(store, a_seen(0, (("crow", 0.4),), thing=bird))).read_text()
    assert re.findall(r"<h3[^>]*>([^<]*)</h3>", page) == ["something unnamed"]
    assert "perhaps bird 60%, crow 40%" in page


def test_people_who_are_apart_have_a_box_each(store: Store):
    two = parted(a_seen(0, (("person", 0.9),)))
    page = write_report(store, a_run(store, two, a_seen(1))).read_text()
    people, cat = page.split('<article class="card')[1:]
    assert f"person {TIMES} 2" in people
    # In the crop and in the scene; of one thing only there.
    assert (people.count('class="box"'), cat.count('class="box"')) == (4, 1)
    assert 'class="box" style="left:31.25%;top:25.00%;width:7.81%;height:37.50%"' in people


def test_the_title_names_the_camera_and_the_day(store: Store):
    page = write_report(store, a_run(store, a_seen(0))).read_text()
    assert "<title>hall · 2026-11-29: 1 event - Nomaly</title>" in page
    guessed = a_source(time_from="modified")
    with Store(store.folder / "other") as other:
        page = write_report(other, a_run(other, a_seen(0), source=guessed)).read_text()
    assert "<title>hall · about 2026-11-29: 1 event - Nomaly</title>" in page


def test_a_run_without_events_tells_the_highest_score_and_when(store: Store):
    run = a_run(store, peaks={3: 0.41, 62: 0.98, 63: 0.2})
    page = write_report(store, run).read_text()
    assert "Nothing unusual was found." in page
    assert "the highest score was 0.98 of the threshold at 1:02" in page
    assert "<polyline" in page


def test_a_run_of_which_all_is_silent_does_not_say_that_nothing_was_found(store: Store):
    seen = a_seen(0)
    silent = replace(seen, event=replace(seen.event, muted="only cat is told (--tell)"))
    page = write_report(store, a_run(store, silent)).read_text()
    assert "Nothing unusual was found" not in page
    assert "Nothing is told. One event is kept and silent: see “Not told”" in page


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"evidence": of_site("cat", 0.0)}, False),
        ({"evidence": of_site("cat", 2.0)}, True),
        ({"evidence": replace(of_site("cat", 0.0), site_p=0.4)}, True),
        ({"evidence": of_site("cat", 0.0), "surprise_bits": 7.0}, True),
    ],
)
def test_what_belongs_is_shown_where_it_is_known_what_is_usual(
    store: Store, facts: dict[str, Any], shown: bool
):
    seen = a_seen(0)
    finding = replace(seen, event=replace(seen.event, **facts))
    page = write_report(store, a_run(store, finding, a_fault(99))).read_text()
    assert ('data-here="not expected here" aria-pressed="false">not expected here 1<' in page) == (
        shown
    )
    assert ("<td>not expected here</td>" in page) == shown


def test_time_that_was_not_looked_at_is_not_counted(store: Store):
    gaps = [
        Gap(BEGAN_US + 10_000_000, BEGAN_US + 30_000_000, "stalled"),
        Gap(BEGAN_US + 20_000_000, BEGAN_US + 40_000_000, "size"),
        Gap(BEGAN_US + 55_000_000, None, "ended"),
    ]
    run = a_run(store, kind="watch", source=a_source(seen_s=60.0), gaps=gaps)
    assert "0:25.0 looked at" in write_report(store, run).read_text()


def test_the_page_says_what_the_run_was_made_with(store: Store):
    (store.folder / "detector").mkdir()
    card = {"format": "nomaly-detector", "threshold": 31.25, "settings": {"passes": 160}}
    (store.folder / "detector" / "detector.json").write_text(json.dumps(card))
    page = write_report(store, a_run(store, a_seen(0))).read_text()
    rows = dict(re.findall(r"<tr><th>([^<]*)</th><td>([^<]*)</td>", page))
    assert rows["decoder, SHA-256 of its weights"] == "f" * 64
    assert rows["sure from p"] == "0.6"
    assert (rows["detector threshold"], rows["detector settings passes"]) == ("31.25", "160")
    assert rows["fps"] == "5"


def test_of_more_than_fifty_events_each_weighs_at_most_15_kb(tmp_path: Path):
    # Of a camera at night: what no format makes small.
    noise = [a_seen(number, FIVE, noisy=True) for number in range(51)]
    empty = report_of(tmp_path / "none").stat().st_size
    assert (report_of(tmp_path / "noise", *noise).stat().st_size - empty) / 51 <= EVENT_BYTES


def test_few_events_have_larger_pictures(tmp_path: Path):
    few = report_of(tmp_path / "few", a_seen(0)).stat().st_size
    assert few > report_of(tmp_path / "none").stat().st_size + EVENT_BYTES


def colours() -> list[dict[str, str]]:
    """The colours of the page in light, in dark and on paper."""
    style = (files("app.report") / "report.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    found: list[dict[str, str]] = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block)) for block in blocks
    ]
    light, dark, paper = found
    return [light, light | dark, light | paper]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours as WCAG 2.1 defines it, 1 to 21."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "paper"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *[(text, ground) for text in ("ink", "soft", "hot") for ground in ("paper", "card")],
        *[("ink", ground) for ground in ("bar", "learned", "gap")],
        ("on-ink", "on"),
        ("dark-ink", "dark"),
    ],
)
def test_all_text_can_be_read(theme: int, text: str, ground: str):
    palette = colours()[theme]
    assert contrast(palette[text], palette[ground]) >= 4.5


def test_contrast_is_measured_as_defined():
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_of_many_files_those_without_an_event_have_no_timeline(tmp_path: Path):
    with Store(tmp_path) as store:
        run = begin(store)
        for number in range(30):
            source = replace(a_source(), uri=f"/clips/{number}.mp4")
            seen = a_finding(number)
            event = replace(seen.event, video=source.uri, camera=source.camera)
            found = [replace(seen, event=event)] if number in (4, 17) else []
            store.save(run, replace(changes(), source=source, findings=found))
        store.end_run(run, "finished", {"failed": [f"{n}.mp4: is none" for n in range(25)]})
        page = write_report(store, store.run(run)).read_text()
    assert page.count('<section class="lane"') == 2
    assert "29 files without an event have no timeline here" in page
    assert "2 files with events" in page
    assert '<td title="/clips/17.mp4">17.mp4</td>' in page
    assert "5 more could not be read" in page
    assert 'href="#event-2"' in page
