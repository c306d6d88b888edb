"""A short watch with two intruders, made of real photographs, and the command under test."""

import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.demo.footage import DemoPlan, plan_demo, write_footage
from tests.app.forked import Forked, run_forked
from tests.once import made_once

NOMALY = str(Path(sys.executable).with_name("nomaly"))
LEARN_S = 14.0
QUICK = ("--detector-setting", "passes=16", "--detector-setting", "longer_side=96")
"""Little to learn, for tests that do not ask what is found."""


def run_nomaly(*words: str | Path, timeout_s: float = 150) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return run_forked([*map(str, words)], timeout_s)


def start_nomaly(*words: str | Path) -> Forked:
    """Start the command."""
    return Forked([*map(str, words)])


def short_plan(nouns: Sequence[str] = ("tripod", "cardboard box")) -> DemoPlan:
    """A plan with one object after the other, six seconds each."""
    plan = plan_demo(0)
    chosen = [placed for placed in plan.placements if placed.noun in nouns]
    placements = []
    for number, placed in enumerate(chosen):
        at = LEARN_S + 3 + 9 * number
        times = {"enter_s": at, "rest_s": at + 1, "leave_s": at + 5, "gone_s": at + 6}
        placements.append(dataclasses.replace(placed, **times))
    return dataclasses.replace(
        plan,
        learn_s=LEARN_S,
        duration_s=LEARN_S + 4 + 9 * len(chosen),
        placements=tuple(placements),
    )


@pytest.fixture(scope="session")
def plan() -> DemoPlan:
    return short_plan()


@pytest.fixture(scope="session")
def clip(plan: DemoPlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    def film(folder: Path) -> None:
        write_footage(plan, folder / "watch.mp4")

    return made_once(tmp_path_factory, "clip", film) / "watch.mp4"


@pytest.fixture(scope="session")
def audited(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and last line of an audit that nothing disturbed."""

    def audit(folder: Path) -> None:
        words = ("--normal-first", str(LEARN_S), "--out", folder / "out", "--json")
        done = run_nomaly("audit", clip, *words)
        assert done.returncode == 0, done.stderr
        (folder / "said").write_text(done.stdout.splitlines()[-1])

    folder = made_once(tmp_path_factory, "audited", audit)
    return folder / "out", (folder / "said").read_text()
