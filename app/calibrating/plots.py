"""Small plots as SVG that a page holds: no script, nothing fetched, readable on a phone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import ArrayLike

_WIDE, _HIGH, _LEFT, _TOP, _RIGHT, _BELOW = 340, 230, 54, 10, 10, 36
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or dots, of a plot."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    kind: str = "a"
    """Of the style sheet: a, b or c."""
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a plot."""

    label: str
    low: float = 0.0
    high: float = 1.0
    ticks: tuple[str, ...] = ()
    """Texts spread evenly from low to high; empty for numbers."""

    def at(self, value: float) -> float:
        """Where a value lies, 0 to 1; beyond the ends at them."""
        span = self.high - self.low
        return min(max((value - self.low) / span, 0.0), 1.0) if span > 0 else 0.5

    @property
    def texts(self) -> Sequence[str]:
        """Of its ticks."""
        if self.ticks:
            return self.ticks
        return [f"{value:.3g}" for value in np.linspace(self.low, self.high, _TICKS)]


def plot(
    x: Axis,
    y: Axis,
    series: Sequence[Series],
    *,
    even: bool = False,
    high: bool = False,
    about: str,
) -> Markup:
    """Lines and dots over two axes.

    Args:
        x: From left to right.
        y: From below.
        series: What is drawn.
        even: Whether the diagonal is drawn, where what is said and what is are the same.
        high: Whether the names of the series stand above, where they usually stand below.
        about: What people hear who cannot see it.
    """
    parts = [
        Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
            _WIDE, _HIGH, about
        )
    ]
    parts += _grid(x, y)
    if even:
        parts.append(_line("even", [(0, 0), (1, 1)]))
    for one in series:
        points = [(x.at(a), y.at(b)) for a, b in zip(one.x, one.y, strict=True)]
        parts += [_dot(one, point) for point in points] if one.dots else [_line(one.kind, points)]
    parts.append(_legend(series, high=high))
    return Markup("").join([*parts, Markup("</svg>")])


def steps(good: ArrayLike, bad: ArrayLike) -> tuple[list[float], list[float]]:
    """The ROC of scores: shares of the good [K] and of the bad [K] that lie above each score."""
    fine, faulty = np.sort(np.asarray(good, float)), np.sort(np.asarray(bad, float))
    levels = np.unique(np.concatenate([fine, faulty]))[::-1]
    false = 1 - np.searchsorted(fine, levels, "left") / max(1, len(fine))
    true = 1 - np.searchsorted(faulty, levels, "left") / max(1, len(faulty))
    return [0.0, *false.tolist(), 1.0], [0.0, *true.tolist(), 1.0]


def _grid(x: Axis, y: Axis) -> list[Markup]:
    parts = []
    for number, text in enumerate(y.texts):
        at = _down(number / (len(y.texts) - 1))
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
                _LEFT, _WIDE - _RIGHT, at, at
            )
        )
        parts.append(_text(_LEFT - 5, at + 4, text, "end"))
    for number, text in enumerate(x.texts):
        last = number == len(x.texts) - 1
        anchor = "end" if last else "middle"
        parts.append(_text(_across(number / (len(x.texts) - 1)), _HIGH - 20, text, anchor))
    parts.append(_text((_LEFT + _WIDE) / 2, _HIGH - 5, x.label, "middle"))
    parts.append(
        Markup(
            '<text transform="translate(10 {:.0f}) rotate(-90)" text-anchor="middle">{}</text>'
        ).format((_TOP + _HIGH - _BELOW) / 2, y.label)
    )
    return parts


def _legend(series: Sequence[Series], *, high: bool) -> Markup:
    if len(series) < 2:
        return Markup("")
    first = _TOP + 14 if high else _HIGH - _BELOW - 8 - 15 * (len(series) - 1)
    parts = [
        Markup('<text class="{}" x="{}" y="{}" text-anchor="end">{}</text>').format(
            f"key {one.kind}", _WIDE - _RIGHT - 6, first + 15 * number, one.label
        )
        for number, one in enumerate(series)
    ]
    return Markup("").join(parts)


def _line(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    where = " ".join(f"{_across(x):.1f},{_down(y):.1f}" for x, y in points)
    return Markup('<polyline class="{}" points="{}"/>').format(kind, where)


def _dot(one: Series, point: tuple[float, float]) -> Markup:
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(
        one.kind, _across(point[0]), _down(point[1])
    )


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        x, y, anchor, escape(text)
    )


def _across(share: float) -> float:
    return _LEFT + share * (_WIDE - _LEFT - _RIGHT)


def _down(share: float) -> float:
    return _HIGH - _BELOW - share * (_HIGH - _TOP - _BELOW)
