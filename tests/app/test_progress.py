"""What people see of long work, in terminals of any width and in files."""

import io
import re

import pytest
from rich.console import Console

from app import progress
from app.progress import Reporter, clock


def terminal(width: int) -> tuple[Reporter, io.StringIO]:
    """A reporter on a terminal of some columns."""
    shown = io.StringIO()
    return Reporter(Console(file=shown, force_terminal=True, width=width, color_system=None)), shown


def lines_of(shown: io.StringIO) -> list[str]:
    """All that was drawn, line by line, without what moves the cursor."""
    plain = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]", "", shown.getvalue())
    return [line for line in plain.replace("\r", "\n").splitlines() if line.strip()]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_finished_line_has_a_tick_and_its_time(width: int):
    reporter, shown = terminal(width)
    with reporter.task("Reading normal footage", 10) as meter:
        meter.to(9, "3 frames/s")
    line = lines_of(shown)[-1]
    assert line.startswith("✓ Reading normal footage")
    assert re.search(r" 0:\d\d ", f"{line} ")
    assert "%" not in line


def test_a_line_that_was_stopped_has_no_tick():
    reporter, shown = terminal(80)

    def work() -> None:
        with reporter.task("Auditing a.mp4", 10) as meter:
            meter.to(5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    line = lines_of(shown)[-1]
    assert line.startswith("- Auditing a.mp4")
    assert "50%" in line


@pytest.mark.parametrize("width", [40, 60, 80])
def test_only_the_note_is_cut_where_there_is_no_room(width: int):
    reporter, shown = terminal(width)
    with reporter.task("Auditing a very long name of a video.mp4", 36_000) as meter:
        for step in range(1, 5):
            meter.to(step, "a rate of so many frames a second and many events")
            reporter.say("meanwhile")
    drawn = [line for line in lines_of(shown) if "Auditing" in line]
    assert len(drawn) > 3
    for line in drawn:
        assert len(line.rstrip()) <= width
        assert re.match(r". Auditing a [a-z ]*… ", line)
        assert re.search(r"\d:\d\d|-:--", line)
    assert any("0%" in line for line in drawn)


def test_stages_end_one_after_the_other():
    reporter, shown = terminal(80)
    with reporter.stages() as told:
        told("reading", 1, 2, "")
        told("writing", 1, 4, "")
        told("writing", 4, 4, "")
    ticks = [line for line in lines_of(shown) if "✓" in line]
    assert any("reading" in line for line in ticks)
    assert any("writing" in line for line in ticks)


def test_a_file_gets_a_line_now_and_then_with_what_is_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    monkeypatch.setattr(progress, "TOLD_S", 0.0)
    shown = io.StringIO()
    reporter = Reporter(Console(file=shown, width=40))
    with reporter.task("Embedding", 100) as meter:
        for step in (40, 41, 100):
            meter.to(step, f"{step} of 100 texts")
    first, second, third, done = shown.getvalue().splitlines()
    assert first == "Embedding: 40%  40 of 100 texts"
    assert re.fullmatch(r"Embedding: 41%, \d+:\d\d left  41 of 100 texts", second)
    assert third == "Embedding: 100%, 0:00 left  100 of 100 texts"
    assert re.fullmatch(r"Embedding: done in 0:\d\d  100 of 100 texts", done)


def test_work_without_a_known_size_is_told_to_be_under_way(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    shown = io.StringIO()
    with Reporter(Console(file=shown)).task("Connecting") as meter:
        meter.to(1, "second attempt")
    assert shown.getvalue() == "Connecting: under way  second attempt\n"


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    monkeypatch.setattr(progress, "TOLD_S", 0.0)
    with Reporter(quiet=True).task("Embedding", 100) as meter:
        meter.to(50)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-:--"), (0, "0:00"), (65, "1:05"), (3600, "1:00:00")]
)
def test_times_are_told_as_clocks_do(seconds: float | None, text: str):
    assert clock(seconds) == text
