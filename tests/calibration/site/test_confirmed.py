"""What p is worth by what people confirmed."""

from dataclasses import replace

import numpy as np
import pytest

from calibration.reliability import ece
from calibration.site.confirmed import LEAST, refit
from tests.calibration.site.footage import confirmed


def test_p_that_is_too_sure_is_brought_down_to_what_is_right():
    done = refit(confirmed(400))
    assert done.scaling is not None
    assert done.scaling.power == pytest.approx(0.4, abs=0.1)
    assert ece(done.refitted, done.right) < 0.6 * ece(done.p, done.right)
    assert "refitted on 400" in done.said
    # Other events of the same camera.
    others = confirmed(400, seed=7)
    before = ece([one.candidates[0].p for one in others], [one.right for one in others])
    scaled = [done.scaling.of(one.candidates, one.rest)[0][0].p for one in others]
    assert ece(scaled, [one.right for one in others]) < before / 2


def test_p_that_means_what_it_says_stays():
    done = refit(confirmed(300, power=1.0))
    assert done.scaling is None or done.scaling.power == pytest.approx(1.0, abs=0.2)


def test_few_or_one_sided_answers_refit_nothing():
    assert refit(confirmed(LEAST - 1)).said == (
        f"names_p: not refitted, {LEAST - 1} confirmed names, {LEAST} are needed"
    )
    sure = [replace(one, noun=one.candidates[0].noun) for one in confirmed(80)]
    done = refit(sure)
    assert done.scaling is None
    assert "80 of 80 confirmed names are right" in done.said
    assert refit([]).scaling is None


def test_what_was_nothing_has_no_name_to_learn_from():
    events = confirmed(100)
    nothing = [replace(one, noun="") for one in events[:60]]
    assert "40 confirmed names" in refit([*nothing, *events[60:]]).said


def test_what_nobody_can_tell_is_no_wrong_name():
    fair = confirmed(100, seed=2, power=1.0)
    unsure = [
        replace(one, id=f"u{n}", time_us=one.time_us + 1, noun="Unknown" if n % 2 else "unknown")
        for n, one in enumerate(fair[:60])
    ]
    with_them, without = refit([*fair, *unsure]), refit(fair)
    assert with_them.scaling == without.scaling
    assert with_them.said == without.said
    assert len(with_them.p) == 100


def test_an_event_without_candidates_is_left_out():
    events = [replace(one, candidates=()) for one in confirmed(60)]
    assert "0 confirmed names" in refit(events).said
    assert len(refit(events).p) == 0
    assert np.isnan(ece([], []))
