"""What is going to be built is told first, how long it takes once that was measured."""

import pytest

from app.sites.forecast import MEASURED_STEPS, Forecast

SIZES = {"ft2": 9_000, "ft6": 2_700}


@pytest.mark.parametrize(("steps", "told"), [(10**12, True), (MEASURED_STEPS + 5, False)])
def test_what_takes_long_is_told_once_its_pace_is_known(steps: int, told: bool):
    said: list[str] = []
    forecast = Forecast(SIZES, {"ft2": steps, "ft6": 2}, said.append)
    assert said == [
        f"To be built: ft2 of 9,000 nouns in {steps:,} steps, ft6 of 2,700 nouns in 2 steps."
    ]
    for done in (3, MEASURED_STEPS, MEASURED_STEPS + 3, MEASURED_STEPS + 4):
        forecast.heard(done)
        assert len(said) == 1 + (told and done > MEASURED_STEPS)
    assert not told or "At this pace all of it takes at most about" in said[1]


def test_nothing_is_told_if_all_is_there():
    said: list[str] = []
    Forecast({}, {}, said.append)
    assert said == []
