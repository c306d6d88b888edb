"""What somebody is told who does not say what is normal: a quick look, and a command to copy."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from app.errors import UsageError
from app.progress import Reporter
from app.sources.glance import Glance, glance
from app.watching.calm import CAMERA_MOVES, RESTLESS, Stretch, calmest_stretch, told_share
from app.watching.checks import SAY_NORMAL, NormalStretch

UNHURRIED_S = 20.0
"""For a look whose result must not depend on how busy the machine is."""


def advise(video: Path, typed: Sequence[str]) -> UsageError:
    """What to raise if nobody says what is normal.

    Args:
        video: The recording that would be learned from.
        typed: The command so far, word by word, without `nomaly`.

    Raises:
        app.sources.base.SourceError: If the video cannot be read.
    """
    seen = glance(video)
    stretch = calmest_stretch(seen)
    if stretch is None:
        return UsageError(
            f"{SAY_NORMAL}. {video.name} is too short, or could not be looked through quickly; "
            f"if its first seconds show nothing unusual: {_command(typed, '--normal-first', '10')}"
        )
    return UsageError(
        f"{SAY_NORMAL}.\nOf {len(seen.times_s)} pictures out of {_clock(seen.length_s)} of "
        f"{video.name}, those {_where(stretch)} are the calmest: {_verdict(stretch)}. Try:\n\n"
        f"  {_command(typed, *stretch.options)}\n"
    )


def choose(video: Path, reporter: Reporter) -> NormalStretch:
    """The calmest stretch of a recording, and say which.

    Raises:
        UsageError: If none can be found.
        app.sources.base.SourceError: If the video cannot be read.
    """
    stretch = calmest_stretch(_unhurried(video, reporter))
    if stretch is None:
        raise UsageError(
            f"--normal auto: {video} is too short or cannot be looked through quickly; "
            "say --normal-first SECONDS or --normal VIDEO"
        )
    reporter.say(
        f"Normal is {_where(stretch)} of {video.name}, its calmest part: {_verdict(stretch)} "
        f"(the same as {' '.join(stretch.options)})."
    )
    return NormalStretch(stretch.from_s, stretch.for_s)


def _unhurried(video: Path, reporter: Reporter) -> Glance:
    with reporter.task("Looking for a calm part"):
        return glance(video, UNHURRIED_S)


def _where(stretch: Stretch) -> str:
    return f"from {_clock(stretch.from_s)} to {_clock(stretch.from_s + stretch.for_s)}"


def _verdict(stretch: Stretch) -> str:
    told = f"{told_share(stretch.moving)} of the view moves there"
    if stretch.moving >= CAMERA_MOVES:
        return f"{told}, so it is the camera that moves, and it must stand still"
    if stretch.moving >= RESTLESS:
        return f"{told}, and what moves counts as normal; footage without it (--normal) is better"
    return told


def _command(typed: Sequence[str], *more: str) -> str:
    return shlex.join(["nomaly", *typed, *more])


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
