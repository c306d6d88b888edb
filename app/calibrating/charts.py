"""What the numbers of a calibration are worth, as plots."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from app.calibrating.plots import Axis, Series, plot, steps
from app.calibrating.request import Calibrated
from app.report.times import local
from calibration.betting import ALPHA
from calibration.reliability import bins, risk_coverage
from calibration.tail import CONFIDENCE

_BY = {"site_p": "by its looks", "unnameable_p": "by its name", "event_score": "by its score"}
"""By what a thing is told from what is normal."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One plot and what it shows."""

    title: str
    svg: Markup
    said: str


def charts(done: Calibrated) -> list[Chart]:
    """All plots that there are figures for."""
    drawn = [_names(done), _risk(done), _normal(done), _roc(done), _tail(done), _drift(done)]
    if done.looked_before:
        # What this footage shows is not what is kept.
        drawn = drawn[:2]
    return [one for one in drawn if one is not None]


def _names(done: Calibrated) -> Chart | None:
    names = done.names
    if not len(names.p):
        return None
    before = bins(names.p, names.right)
    series = [Series("as named", [b.p for b in before], [b.right for b in before], "a", dots=True)]
    if len(names.refitted):
        after = bins(names.refitted, names.right)
        right = [b.right for b in after]
        series.append(Series("refitted", [b.p for b in after], right, "b", dots=True))
    return Chart(
        "Are names as likely right as is told?",
        plot(
            Axis("how likely right, as told"),
            Axis("share that was right"),
            series,
            even=True,
            about="how often names are right by what is told",
        ),
        f"On {len(names.p)} confirmed names, each dot as many. On the dashed line as many are "
        "right as is told. Refitted: by other stretches of time.",
    )


def _risk(done: Calibrated) -> Chart | None:
    names = done.names
    if not len(names.p):
        return None
    series = [Series("as named", *_curve(names.p, names.right), "a")]
    if len(names.refitted):
        series.append(Series("refitted", *_curve(names.refitted, names.right), "b"))
    return Chart(
        "How many are wrong among the surest?",
        plot(
            Axis("share of names that is told"),
            Axis("share of these that is wrong"),
            series,
            about="wrong names by how many are told",
        ),
        "Tell only the surest names, so few as on the left, and so many of them are wrong.",
    )


def _curve(p: np.ndarray, right: np.ndarray) -> tuple[list[float], list[float]]:
    coverage, risk = risk_coverage(p, right)
    return coverage.tolist(), risk.tolist()


def _normal(done: Calibrated) -> Chart | None:
    held_out = done.held_out
    series = [
        Series(_BY[name], np.sort(p).tolist(), (np.arange(1, len(p) + 1) / len(p)).tolist(), kind)
        for name, p, kind in (
            ("site_p", held_out.site_p, "a"),
            ("unnameable_p", held_out.unnameable_p, "b"),
        )
        if len(p)
    ]
    if not series:
        return None
    return Chart(
        "Is what is told to be rare as rare as that?",
        plot(
            Axis("how rare it is, as told"),
            Axis("share that is so rare"),
            series,
            even=True,
            about="how rare normal things are by what is told",
        ),
        f"On {len(held_out.at)} pictures of normal footage that nothing was learned from. By its "
        "looks (site_p): so strange; by its name (unnameable_p): so little of it can be named. "
        "Above the dashed line more normal things are taken for strange than is told.",
    )


def _roc(done: Calibrated) -> Chart | None:
    figures = done.figures
    pairs = [(name, figures.normal[name], figures.planted[name]) for name in sorted(figures.normal)]
    if figures.rings is not None:
        pairs.append(("event_score", *figures.rings))
    if not pairs:
        return None
    series = [
        Series(_scored(done, name), *steps(good, bad), kind)
        for (name, good, bad), kind in zip(pairs, "abc", strict=False)
    ]
    x, y = Axis("share of the normal taken for strange"), Axis("share of things noticed")
    return Chart(
        "Are things told from what is normal?",
        plot(x, y, series, even=True, about="things noticed by normal ones taken for strange"),
        "Things that were put into the footage and rang, against normal pictures that nothing was "
        "learned from; by its score: confirmed events against those that were nothing. 100 tells "
        "all apart, 50 none.",
    )


def _scored(done: Calibrated, name: str) -> str:
    found = done.figures.roc.get(name)
    return _BY[name] if found is None else f"{_BY[name]}, {100 * found.value:.0f} of 100"


def _tail(done: Calibrated) -> Chart | None:
    curve, promise = done.figures.tail, done.request.watched.promise
    if not curve.rows:
        return None
    levels, expected, came = ([row[at] for row in curve.rows] for at in range(3))
    quiet = not any((*expected, *came))
    at_bar = curve.bounds[levels.index(curve.bar)]
    # Beyond its top a line lies at the top; room for the names is above.
    top = 1.6 * max(promise.per_hour, at_bar, *expected, *came)
    series = [Series(f"at most ({100 * CONFIDENCE:.0f}% sure)", levels, curve.bounds, "a")]
    if not quiet:
        series += [Series("expected", levels, expected, "b"), Series("came", levels, came, "c")]
    if done.request.watched.bar is None:
        ends = [levels[0], levels[-1]]
        series.append(Series(f"promised ({promise})", ends, [promise.per_hour] * 2, "d"))
    series.append(Series(f"this camera, {curve.bar:.2f}", [curve.bar] * 2, [0.0, top], "e"))
    x = Axis("bar: how unusual a thing must be to ring", levels[0], levels[-1])
    said = (
        "Nothing rang at any bar shown. So little footage cannot show how rare it is; drawn is "
        "what is likely at most."
        if quiet
        else "Expected, and at most: by four fifths of the footage. Came: counted in the rest."
    )
    return Chart(
        "How often does normal footage ring?",
        plot(x, Axis("events an hour", 0.0, top), series, about="false events by bar", high=True),
        said,
    )


def _drift(done: Calibrated) -> Chart | None:
    drift = done.drift
    if drift is None or not drift.path:
        return None
    won = [value / float(np.log(10)) for _, value in drift.path]
    line = -float(np.log10(ALPHA))
    highest = int(max(line + 1, np.ceil(max(won))))
    x = _times([time_us for time_us, _ in drift.path], guessed=done.looked.guessed)
    y = Axis(
        "times the stake",
        -1.0,
        float(highest),
        tuple(f"{10.0**at:g}" for at in range(-1, highest + 1)),
    )
    at = list(map(float, range(len(won))))
    series = [
        Series("bets that it does not", at, won, "a"),
        Series("it does not, from here", [0.0, float(max(1, len(won) - 1))], [line, line], "b"),
    ]
    return Chart(
        "Does the calibration hold?",
        plot(x, y, series, about="what bets against the calibration won", high=True),
        "Pictures that nothing was learned from, in the order of time. Who bets that they look "
        f"otherwise by now wins {1 / ALPHA:.0f} times the stake by chance at most once in "
        f"{1 / ALPHA:.0f} cameras.",
    )


def _times(times_us: Sequence[int], *, guessed: bool) -> Axis:
    texts = tuple(
        f"{local(times_us[int(at)]):%H:%M}" for at in np.linspace(0, len(times_us) - 1, 4)
    )
    label = "time, a guess" if guessed else "time"
    return Axis(label, 0.0, float(max(1, len(times_us) - 1)), texts)
