"""Plots of a calibration tell what was measured, at the bar at which the camera rings."""

from pathlib import Path

import numpy as np

from app.calibrating.answers import Answers
from app.calibrating.charts import Chart, charts
from app.calibrating.footage import Film, Looked
from app.calibrating.measuring import measured
from app.calibrating.request import Calibrated, CalibrateRequest
from calibration.levels import Level
from calibration.site.calibrated import Bindings, HeldOut, SiteCalibration
from calibration.site.confirmed import refit

BAR = 0.7


def ringing(values: list[float], hours: float) -> tuple[Chart, Calibrated]:
    """The plot of how often normal footage would ring."""
    times = np.linspace(0, 3600 * hours, len(values), endpoint=False)
    levels = [Level(float(at_s), value) for at_s, value in zip(times, values, strict=True)]
    film = Film(Path("a.mp4"), 0.0, 3600 * hours, 0)
    looked, none = Looked(films=[film], levels=levels, hours=hours), np.zeros(0)
    held_out, names, answers = HeldOut(np.zeros(0, np.int64), none, none), refit(()), Answers((), 0)
    figures = measured(held_out, looked, answers, names, BAR)
    done = Calibrated(
        CalibrateRequest(site=Path("hall"), normal=(Path("a.mp4"),)),
        SiteCalibration(Bindings("d", "e", "n")),
        looked,
        held_out,
        names,
        answers,
        None,
        figures,
        False,
    )
    (chart,) = charts(done)
    return chart, done


def test_footage_in_which_nothing_rang_shows_what_is_likely_at_most():
    chart, done = ringing([0.62], 1 / 3)
    assert "Nothing rang at any bar shown." in chart.said
    assert "e-" not in chart.svg.replace("e-anchor", "")
    for told in ("at most (80% sure)", "promised (1/hour)", "this camera, 0.70"):
        assert told in chart.svg
    assert ">came<" not in chart.svg
    # One number, in the text and in the plot: at the bar at which this camera rings.
    curve = done.figures.tail
    at_bar = dict(zip((row[0] for row in curve.rows), curve.bounds, strict=True))[BAR]
    assert done.figures.tail_said.startswith(
        f"tail: at bar 0.70, where this camera rings, at most {at_bar:.3g} false events an hour "
    )
    assert at_bar > 1


def test_what_rang_is_drawn_beside_what_was_promised():
    chart, done = ringing([0.5 + 0.01 * (at % 40) for at in range(200)], 10.0)
    for told in (">expected<", ">came<", "promised (1/hour)"):
        assert told in chart.svg
    assert max(row[2] for row in done.figures.tail.rows) > 0
    assert done.figures.tail_said.endswith(" rang")
    # Scripts read three numbers a level, as before.
    assert all(len(row) == 3 for row in done.figures.as_json()["tail"])


def test_nothing_that_came_near_is_a_sentence_and_no_plot():
    looked, none = Looked(hours=0.5), np.zeros(0)
    held_out = HeldOut(np.zeros(0, np.int64), none, none)
    figures = measured(held_out, looked, Answers((), 0), refit(()), BAR)
    assert figures.tail_said == "tail: nothing came near to ringing in 30 min"
    assert figures.tail.rows == ()
