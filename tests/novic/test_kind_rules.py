"""Rules by kind: which things are told."""

import pytest

from novic.certainty import Certainty, KindLine, Scaling
from novic.errors import UsageError
from novic.kind_rules import KindRule
from novic.kinds import KindScaling, kind_masses
from novic.vocabulary import ThingKind

PLAIN = Certainty()
SCALED = Certainty(0.7, 0.9, Scaling(), KindLine(KindScaling(1.2, 0.1, 0.5), 0.8))
SEEN = (("tabby", 0.1), ("cat", 0.4), ("dog", 0.2), ("sparrow", 0.1), ("chair", 0.1))


@pytest.mark.parametrize(
    ("text", "wanted", "but"),
    [
        ("any animal but the cat", ("animal",), ("cat",)),
        ("person or vehicle", ("person", "vehicle"), ()),
        ("Animal, person except dogs, cat", ("animal", "person"), ("dogs", "cat")),
        ("hoofed animal", ("hoofed animal",), ()),
    ],
)
def test_rules_are_read_as_people_say_them(text: str, wanted: object, but: object):
    rule = KindRule.parse(text)
    assert (rule.wanted, rule.but, rule.text) == (wanted, but, text)


@pytest.mark.parametrize("text", ["", "any", "but cat", "animal but the"])
def test_a_rule_that_names_nothing_is_refused(text: str):
    with pytest.raises(UsageError, match="name kinds or nouns"):
        KindRule.parse(text)


def test_what_is_never_named_is_refused_with_what_was_meant():
    nouns = ["cat", "wrench"]
    KindRule.parse("animal but cat, wrench").check(nouns)
    with pytest.raises(UsageError, match="nothing is ever named 'animl'; did you mean animal"):
        KindRule.parse("animl").check(nouns)
    with pytest.raises(UsageError, match="nothing is ever named 'zzqq'; kinds are aircraft"):
        KindRule.parse("animal but zzqq").check(nouns)


def test_a_kind_is_as_probable_as_its_nouns_together():
    assert KindRule.parse("animal").p(SEEN, None, PLAIN) == pytest.approx(0.8)
    assert KindRule.parse("bird").p(SEEN, None, PLAIN) == pytest.approx(0.1)
    assert KindRule.parse("weapon").p(SEEN, None, PLAIN) == 0


def test_an_exception_takes_its_nouns_and_what_is_of_its_kind():
    assert KindRule.parse("any animal but the dog").p(SEEN, None, PLAIN) == pytest.approx(0.6)
    # A tabby is a cat, too.
    assert KindRule.parse("any animal but the cat").p(SEEN, None, PLAIN) == pytest.approx(0.3)


def test_another_word_for_a_thing_is_the_thing():
    seen = (("car", 0.5), ("truck", 0.2))
    assert KindRule.parse("automobile").p(seen, None, PLAIN) == pytest.approx(0.5)
    assert KindRule.parse("vehicle but automobile").p(seen, None, PLAIN) == pytest.approx(0.2)


def test_a_noun_that_is_no_kind_is_taken_by_itself():
    assert KindRule.parse("chair").p(SEEN, None, PLAIN) == pytest.approx(0.1)


def test_where_kinds_were_measured_their_probability_is_scaled():
    whole = KindRule.parse("animal").p(SEEN, None, SCALED)
    assert SCALED.kinds is not None
    assert whole == pytest.approx(SCALED.kinds.scaling.of("animal", kind_masses(SEEN)["animal"]))
    without = KindRule.parse("animal but dog").p(SEEN, None, SCALED)
    assert without == pytest.approx(whole * 0.6 / 0.8)


def test_what_it_was_told_to_be_counts_with_all_that_is_known_of_it():
    many = (("spitz", 0.05), ("pug", 0.05))
    dog = ThingKind("dog", 0.85, sure=True)
    assert KindRule.parse("dog").p(many, dog, PLAIN) == 0.85
    assert KindRule.parse("animal but pug").p(many, dog, PLAIN) == pytest.approx(0.425)
    assert KindRule.parse("animal but dog").p(many, dog, PLAIN) == 0
    assert KindRule.parse("cat").p(many, dog, PLAIN) == 0


def test_of_several_the_most_probable_counts():
    assert KindRule.parse("bird or dog").p(SEEN, None, PLAIN) == pytest.approx(0.2)
