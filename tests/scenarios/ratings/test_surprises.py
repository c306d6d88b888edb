"""How far nouns moved at a site, and which tell most."""

import math
from dataclasses import replace

import pytest

from scenarios.ratings.surprises import surprises, telling
from tests.app.sites.review.builders import SITE, rated


def test_bits_compare_shares_not_counts():
    moved = surprises(SITE)
    # 37 of 78 here, 9 of 39 in the base dictionary.
    assert moved["airplane"] == pytest.approx(math.log2((37 / 78) / (9 / 39)))
    doubled = replace(SITE, nouns=tuple(replace(n, total=2 * n.total) for n in SITE.nouns))
    assert surprises(doubled)["cow"] == pytest.approx(moved["cow"])


def test_the_most_telling_nouns_are_those_that_nobody_spoke_of():
    assert telling(SITE, 2) == (("airplane", "rivet"), ("cow", "apple"))
    said = rated("forklift", 9.9, 40, 1, ("expected",))
    assert telling(replace(SITE, nouns=(*SITE.nouns, said)), 2)[0] == ("airplane", "rivet")


def test_a_noun_is_told_on_one_side_only():
    more, less = telling(SITE, 10)
    assert not {*more} & {*less}
    assert "slur" not in (*more, *less)
