import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.dictionary import ObjectDictionary
from scenarios.overlay import Edit, Overlay
from scenarios.ratings.records import RatingError
from scenarios.ratings.result import NounRating, RatedLogit, Wishes, site_dictionary
from scenarios.ratings.scale import frequency, rating
from tests.scenarios.builders import small_dictionary

BASE = small_dictionary()
TARGETS = BASE.targets
NOTHING = Overlay()


def by_noun(nouns: tuple[NounRating, ...]) -> dict[str, NounRating]:
    return {noun.target_noun: noun for noun in nouns}


def logits(**values: float) -> dict[str, RatedLogit]:
    return {noun: RatedLogit(logit, 2, ("m",)) for noun, logit in values.items()}


def test_raters_decide_frequencies():
    dictionary, nouns = site_dictionary(
        BASE, logits(airplane=-30.0, deer=0.0, suv=50.0), NOTHING, share=0.5
    )
    found = by_noun(nouns)
    totals = {entry.target_noun: entry.total_freq for entry in dictionary.entries}
    assert (totals["airplane"], totals["deer"], totals["suv"]) == (1, 11, 38)
    airplane = found["airplane"]
    assert airplane.removed_variants == ("aeroplane", "aeroplanes", "airplanes")
    assert (airplane.total, airplane.base_total) == (1, 15)
    assert (found["deer"].p, found["deer"].rating, found["deer"].opinions) == (0.5, 5.5, 2)
    assert found["deer"].raters == ("m",)


def test_a_noun_without_any_answer_stays_and_is_flagged():
    dictionary, nouns = site_dictionary(BASE, {}, NOTHING)
    assert dictionary.targets == TARGETS
    assert all(noun.flags == ("unrated",) and noun.total == 1 for noun in nouns)
    assert all(noun.logit is None and noun.p is None for noun in nouns)


def test_what_was_estimated_says_so():
    said = {"deer": RatedLogit(1.0, 0, ("prior",), ("unrated", "prior"))}
    assert by_noun(site_dictionary(BASE, said, NOTHING)[1])["deer"].flags == ("unrated", "prior")


def test_the_sites_file_wins_over_raters():
    wishes = Wishes(
        expected={"airplane", "suv"},
        never_expected={"deer"},
        added={"glass"},
        excluded={"glasses": "not an object"},
    )
    dictionary, nouns = site_dictionary(
        BASE, logits(airplane=-5.0, deer=5.0, glass=0.0, glasses=5.0, suv=6.0), NOTHING, wishes
    )
    found = by_noun(nouns)
    assert (found["airplane"].rating, found["airplane"].flags) == (9.0, ("expected",))
    assert found["suv"].rating == rating(6.0)
    assert (found["deer"].rating, found["deer"].total) == (1.0, 1)
    assert found["deer"].flags == ("never_expected",)
    assert found["glass"].flags == ("added",)
    assert (found["glasses"].excluded, found["glasses"].total) == ("not an object", 0)
    assert "glasses" not in dictionary.targets


def test_people_win_over_the_sites_file_and_raters():
    wishes = Wishes(expected={"airplane"}, never_expected={"deer"}, excluded={"suv": "banned"})
    edits = {
        "airplane": Edit(rating=2.0),
        "deer": Edit(rating=8.0, locked=True),
        "suv": Edit(rating=5.0),
        "glass": Edit(excluded=True, note="only in the canteen"),
        "glasses": Edit(note="why so low?"),
    }
    found = by_noun(site_dictionary(BASE, logits(glasses=1.0), Overlay(edits), wishes)[1])
    assert (found["airplane"].rating, found["airplane"].flags) == (
        2.0,
        ("unrated", "expected", "edited"),
    )
    assert found["deer"].rating == 8.0
    assert found["deer"].flags == ("unrated", "never_expected", "locked", "edited")
    assert (found["suv"].excluded, found["suv"].rating) == (None, 5.0)
    assert found["glass"].excluded == "excluded by hand: only in the canteen"
    assert (found["glasses"].rating, found["glasses"].flags) == (rating(1.0), ())


def test_a_locked_noun_keeps_its_rating_when_the_site_is_rated_again():
    before = by_noun(site_dictionary(BASE, logits(deer=1.0), NOTHING)[1])
    overlay = Overlay({"deer": Edit(locked=True)})
    again, nouns = site_dictionary(BASE, logits(deer=-4.0), overlay, previous=before)
    deer = by_noun(nouns)["deer"]
    assert (deer.rating, deer.logit, deer.flags) == (rating(1.0), -4.0, ("locked",))
    assert {e.target_noun: e.total_freq for e in again.entries}["deer"] == frequency(rating(1.0))


@pytest.mark.parametrize(
    ("overlay", "wishes", "sentence"),
    [
        (Overlay({"forklfit": Edit(8.0)}), Wishes(), "overlay names .* dictionary: forklfit;"),
        (NOTHING, Wishes(expected={"deer", "moon"}), "the site expects nouns .*: moon;"),
        (NOTHING, Wishes(never_expected={f"n{n}" for n in range(99)}), r"n0, n1, .*, \.\.\.;"),
        (Overlay({t: Edit(excluded=True) for t in TARGETS}), Wishes(), "all nouns are excluded"),
    ],
)
def test_wishes_that_cannot_be_met_are_told(overlay: Overlay, wishes: Wishes, sentence: str):
    with pytest.raises(RatingError, match=sentence):
        site_dictionary(BASE, {}, overlay, wishes)


some = st.sets(st.sampled_from(TARGETS))
edits = st.builds(Edit, st.none() | st.floats(1, 10), locked=st.booleans(), excluded=st.booleans())


@given(
    st.dictionaries(st.sampled_from(TARGETS), st.builds(RatedLogit, st.floats(-20, 20))),
    st.dictionaries(st.sampled_from(TARGETS[1:]), edits),
    st.builds(Wishes, some, some, some, some.map(lambda s: dict.fromkeys(s - {"airplane"}, "no"))),
)
def test_every_noun_is_in_the_dictionary_or_excluded_and_flagged_unless_rated(
    rated: dict[str, RatedLogit], edited: dict[str, Edit], wishes: Wishes
):
    dictionary, nouns = site_dictionary(BASE, rated, Overlay(edited), wishes)
    assert tuple(noun.target_noun for noun in nouns) == TARGETS
    assert dictionary.targets == tuple(n.target_noun for n in nouns if n.excluded is None)
    totals = {entry.target_noun: entry.total_freq for entry in dictionary.entries}
    for noun in nouns:
        assert noun.total == totals.get(noun.target_noun, 0)
        assert noun.excluded or noun.total == frequency(noun.rating)
        assert ("unrated" in noun.flags) == (noun.target_noun not in rated)


def test_the_whole_dictionary_comes_back_in_order(dictionary: ObjectDictionary):
    rated = {t: RatedLogit(n % 9 - 6.0) for n, t in enumerate(dictionary.targets)}
    made, nouns = site_dictionary(dictionary, rated, NOTHING)
    assert made.targets == dictionary.targets
    assert [entry.id for entry in made.entries] == [entry.id for entry in dictionary.entries]
    assert sum(noun.total for noun in nouns) == sum(e.total_freq for e in made.entries)
