"""Views, searches, edits and steps back of a review."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from app.sites.review.session import PAGE, NoSuchNounError, ReviewSession, Sort, View
from scenarios.overlay import Edit, Overlay, read_overlay
from scenarios.ratings.scale import frequency, rating
from scenarios.site import ScenarioError
from tests.app.sites.review.builders import SITE, rated, site_session


@pytest.fixture
def session(tmp_path: Path) -> ReviewSession:
    return site_session(tmp_path)


def shown(session: ReviewSession, view: View, query: str = "") -> list[str]:
    return [row["noun"] for row in session.rows(view, query)["rows"]]


def test_ups_and_downs_are_ordered_by_how_far_frequent_nouns_moved(session: ReviewSession):
    assert shown(session, "ups") == ["airplane", "rivet", "cowl", "apple", "cow"]
    assert shown(session, "downs") == ["cow", "apple", "cowl", "rivet", "airplane"]


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
    [row] = session.edit(["cow"], Edit(rating=3.0, note="a petting zoo next door"))
    assert row["edit"] == {
        "rating": 3.0,
        "locked": False,
        "excluded": False,
        "note": "a petting zoo next door",
    }
    assert read_overlay(session.path) == session.overlay
    assert shown(session, "edited") == ["cow"]
    assert session.made == 1
    [undone] = session.undo()
    assert undone["edit"] is None
    assert read_overlay(session.path) == Overlay()
    assert session.undo() == []


def test_the_same_edit_twice_is_one_step(session: ReviewSession):
    session.edit(["cow"], Edit(excluded=True))
    session.edit(["cow"], Edit(excluded=True))
    assert session.made == 1


def test_forgetting_an_edit_can_be_taken_back(session: ReviewSession):
    session.edit(["cow"], Edit(rating=2.0))
    session.edit(["cow"], None)
    assert session.overlay == Overlay()
    session.undo()
    assert session.overlay.edits == {"cow": Edit(rating=2.0)}


def test_edits_of_nouns_that_went_are_kept(tmp_path: Path):
    old = Overlay({"zeppelin": Edit(rating=4.0)})
    session = ReviewSession(SITE, old, tmp_path / "overlay.yaml")
    session.edit(["cow"], Edit(rating=2.0))
    assert set(read_overlay(session.path).edits) == {"cow", "zeppelin"}


def test_an_unknown_noun_is_refused(session: ReviewSession):
    with pytest.raises(NoSuchNounError, match="'zeppelin' is not in this site's dictionary"):
        session.edit(["zeppelin"], Edit(rating=2.0))
    assert not session.path.exists()


def test_an_edit_that_cannot_be_saved_changes_nothing(session: ReviewSession):
    session.path = session.path.parent / "no-such-folder" / "overlay.yaml"
    with pytest.raises(ScenarioError):
        session.edit(["cow"], Edit(rating=2.0))
    assert session.overlay == Overlay()
    assert session.made == 0


def test_a_rating_shows_at_once_what_it_makes_of_frequency_and_bits(session: ReviewSession):
    [row] = session.edit(["cow"], Edit(rating=8.0))
    assert (row["rating"], row["frequency"], row["excluded"]) == (8.0, 24, None)
    assert row["bits"] == pytest.approx(math.log2((24 / 78) / (12 / 39)), abs=0.01)
    [row] = session.edit(["cow"], Edit(excluded=True))
    assert (row["frequency"], row["excluded"]) == (0, "left out by hand")
    [row] = session.edit(["cow"], None)
    assert (row["rating"], row["frequency"]) == (1.0, 1)


def test_forgetting_an_edit_of_an_earlier_review_shows_what_raters_said(tmp_path: Path):
    """The sidecar holds what people said then."""
    edited = replace(rated("cow", 8.0, 24, 12, ("edited",)), logit=0.0)
    session = ReviewSession(
        replace(SITE, nouns=(edited,)), Overlay({"cow": Edit(rating=8.0)}), tmp_path / "o.yaml"
    )
    assert session.row("cow")["rating"] == 8.0
    [row] = session.edit(["cow"], None)
    assert row["rating"] == rating(0.0)
    assert row["frequency"] == frequency(rating(0.0))


def test_several_nouns_are_one_step(session: ReviewSession):
    session.edit(["apple"], Edit(rating=3.0))
    rows = session.edit(["cow", "apple"], Edit(excluded=True))
    assert [row["noun"] for row in rows] == ["cow", "apple"]
    assert session.made == 2
    assert [row["edit"] is None for row in session.undo()] == [True, False]
    assert session.overlay.edits == {"apple": Edit(rating=3.0)}
    with pytest.raises(NoSuchNounError):
        session.edit(["cow", "zeppelin"], Edit(excluded=True))
    assert set(session.overlay.edits) == {"apple"}


def test_a_noun_that_nobody_knew_is_added(session: ReviewSession):
    row = session.add(" Tug-master ", 9.0)
    assert (row["noun"], row["rating"], row["base_frequency"]) == ("tug master", 9.0, 0)
    assert row["flags"] == ["added"]
    assert read_overlay(session.path).edits == {"tug master": Edit(rating=9.0)}
    assert "tug master" in shown(session, "edited")
    with pytest.raises(NoSuchNounError, match="cannot be a noun"):
        session.add("the", 9.0)
    assert session.add("cow", 4.0)["frequency"] == 6  # it was there already
    again = ReviewSession(SITE, read_overlay(session.path), session.path)
    assert again.row("tug master")["rating"] == 9.0


def test_columns_can_be_sorted_by(session: ReviewSession):
    def order(column: Sort, *, falling: bool) -> list[str]:
        found = session.rows("all", sort=column, falling=falling)
        return [row["noun"] for row in found["rows"]]

    names = sorted(noun.target_noun for noun in SITE.nouns)
    assert order("noun", falling=False) == names
    assert order("noun", falling=True) == names[::-1]
    assert order("rating", falling=True)[:2] == ["airplane", "rivet"]
    session.edit(["cow"], Edit(rating=10.0))
    assert order("rating", falling=True)[0] == "cow"
    assert order("frequency", falling=False)[0] == "slur"
    assert order("bits", falling=True)[0] == "cowl"


def test_what_the_scenario_names_does_not_stand_in_front(tmp_path: Path):
    named = rated("forklift", 9.9, 40, 1, ("expected",))
    site = replace(SITE, nouns=(*SITE.nouns, named))
    session = ReviewSession(site, Overlay(), tmp_path / "overlay.yaml")
    assert shown(session, "ups")[0] == "airplane"
    assert "forklift" not in shown(session, "ups")
    assert shown(session, "named") == ["forklift"]
    assert shown(session, "ups", "fork") == ["forklift"]  # whoever looks for it finds it


def test_what_was_looked_at_is_counted(session: ReviewSession):
    assert session.counts() == {"steps": 0, "edited": 0, "looked_at": 0, "nouns": 6}
    session.look_at("cow")
    session.look_at("cow")
    session.edit(["apple"], Edit(rating=3.0))
    assert session.counts() == {"steps": 1, "edited": 1, "looked_at": 2, "nouns": 6}
    with pytest.raises(NoSuchNounError):
        session.look_at("zeppelin")


def test_long_lists_come_in_parts(tmp_path: Path):
    nouns = tuple(rated(f"noun {n:04}", 5.0, 9, 9) for n in range(PAGE + 5))
    session = ReviewSession(replace(SITE, nouns=nouns), Overlay(), tmp_path / "overlay.yaml")
    first, second = session.rows("all"), session.rows("all", start=PAGE)
    assert first["count"] == second["count"] == PAGE + 5
    together = [row["noun"] for row in first["rows"] + second["rows"]]
    assert together == [noun.target_noun for noun in nouns]
