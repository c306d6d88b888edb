"""Views, searches, edits and steps back of a review."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from app.sites.review.session import PAGE, NoSuchNounError, ReviewSession, View, surprises
from scenarios.overlay import Edit, Overlay, read_overlay
from scenarios.site import ScenarioError
from tests.app.sites.review.builders import SITE, rated, site_session


@pytest.fixture
def session(tmp_path: Path) -> ReviewSession:
    return site_session(tmp_path)


def shown(session: ReviewSession, view: View, query: str = "") -> list[str]:
    return [row["noun"] for row in session.rows(view, query)["rows"]]


def test_ups_and_downs_are_ordered_by_how_far_frequent_nouns_moved(session: ReviewSession):
    assert shown(session, "ups") == ["rivet", "cowl", "airplane", "cow", "apple"]
    assert shown(session, "downs") == ["cow", "apple", "cowl", "rivet", "airplane"]


def test_bits_compare_shares_not_counts():
    moved = surprises(SITE)
    # 37 of 78 here, 9 of 39 in the base dictionary.
    assert moved["airplane"] == pytest.approx(math.log2((37 / 78) / (9 / 39)))
    doubled = replace(SITE, nouns=tuple(replace(n, total=2 * n.total) for n in SITE.nouns))
    assert surprises(doubled)["cow"] == pytest.approx(moved["cow"])


@pytest.mark.parametrize(
    ("view", "nouns"),
    [("estimated", ["cowl"]), ("edited", []), ("excluded", ["slur"])],
)
def test_views_hold_what_they_say(session: ReviewSession, view: View, nouns: list[str]):
    assert shown(session, view) == nouns


def test_a_search_puts_the_noun_itself_first(session: ReviewSession):
    assert shown(session, "all", "cow") == ["cow", "cowl"]
    assert shown(session, "all", "  Cow ") == ["cow", "cowl"]
    assert shown(session, "all", "zeppelin") == []


def test_an_edit_is_saved_at_once_and_taken_back(session: ReviewSession):
    row = session.edit("cow", Edit(rating=3.0, note="a petting zoo next door"))
    assert row["edit"] == {
        "rating": 3.0,
        "locked": False,
        "excluded": False,
        "note": "a petting zoo next door",
    }
    assert read_overlay(session.path) == session.overlay
    assert shown(session, "edited") == ["cow"]
    assert session.made == 1
    undone = session.undo()
    assert undone is not None
    assert undone["edit"] is None
    assert read_overlay(session.path) == Overlay()
    assert session.undo() is None


def test_the_same_edit_twice_is_one_step(session: ReviewSession):
    session.edit("cow", Edit(excluded=True))
    session.edit("cow", Edit(excluded=True))
    assert session.made == 1


def test_forgetting_an_edit_can_be_taken_back(session: ReviewSession):
    session.edit("cow", Edit(rating=2.0))
    session.edit("cow", None)
    assert session.overlay == Overlay()
    session.undo()
    assert session.overlay.edits == {"cow": Edit(rating=2.0)}


def test_edits_of_nouns_that_went_are_kept(tmp_path: Path):
    old = Overlay({"zeppelin": Edit(rating=4.0)})
    session = ReviewSession(SITE, old, tmp_path / "overlay.yaml")
    session.edit("cow", Edit(rating=2.0))
    assert set(read_overlay(session.path).edits) == {"cow", "zeppelin"}


def test_an_unknown_noun_is_refused(session: ReviewSession):
    with pytest.raises(NoSuchNounError, match="'zeppelin' is not in this site's dictionary"):
        session.edit("zeppelin", Edit(rating=2.0))
    assert not session.path.exists()


def test_an_edit_that_cannot_be_saved_changes_nothing(session: ReviewSession):
    session.path = session.path.parent / "no-such-folder" / "overlay.yaml"
    with pytest.raises(ScenarioError):
        session.edit("cow", Edit(rating=2.0))
    assert session.overlay == Overlay()
    assert session.made == 0


def test_long_lists_come_in_parts(tmp_path: Path):
    nouns = tuple(rated(f"noun {n:04}", 5.0, 9, 9) for n in range(PAGE + 5))
    session = ReviewSession(replace(SITE, nouns=nouns), Overlay(), tmp_path / "overlay.yaml")
    first, second = session.rows("all"), session.rows("all", start=PAGE)
    assert first["count"] == second["count"] == PAGE + 5
    together = [row["noun"] for row in first["rows"] + second["rows"]]
    assert together == [noun.target_noun for noun in nouns]
