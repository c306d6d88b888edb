"""The texts that small models read (scenarios_spec §3.4)."""

from itertools import pairwise

import pytest

from scenarios.raters.local.wordings import (
    LINES,
    LISTED,
    QUESTION,
    THING,
    WORDINGS,
    Example,
    Turn,
    Wording,
    cut,
    in_mixed_order,
)

PLACE = "A hall {with} braces."
EXAMPLES = [Example("drill", True), Example("cow", False)]


def laid_out(turns: list[Turn], *, answering: bool) -> str:
    text = "".join(f"<{role}>{said}</{role}>" for role, said in turns)
    return text + ("<assistant>" if answering else "")


def asked(wording: Wording, noun: str) -> tuple[str, str]:
    turns = wording.conversation(PLACE, EXAMPLES)
    prompt = cut(laid_out(turns, answering=not wording.is_open), wording)
    return prompt.prefix, prompt.ending(noun)


def test_one_question_is_a_turn_of_its_own():
    assert asked(QUESTION, "hand drill") == (
        "<system>You know what is found at real places. Answer only yes or no.\n"
        f"PLACE: {PLACE}</system><user>Would you regularly find this here:",
        " hand drill?</user><assistant>",
    )


def test_lines_show_examples_and_stay_open():
    assert asked(LINES, "hand drill") == (
        "<system>You know what is found at real places. Answer only yes or no.\n"
        f"PLACE: {PLACE}</system><user>"
        "Q: Would you regularly find this here: drill?\nA: yes\n"
        "Q: Would you regularly find this here: cow?\nA: no\n"
        "Q: Would you regularly find this here:",
        " hand drill?\nA:",
    )


def test_a_list_is_the_models_own_turn():
    assert asked(LISTED, "hand drill") == (
        "<system>You know what is found at real places. A user lists things. For each one, write "
        "yes if it would regularly be seen there, no if not.\n"
        f"PLACE: {PLACE}</system><user>Would it regularly be seen there?</user>"
        "<assistant>drill: yes\ncow: no\n",
        "hand drill:",
    )


def test_a_thing_is_named_alone():
    prefix, ending = asked(THING, "hand drill")
    assert prefix.startswith(f"<system>Site: {PLACE}\nYou judge whether a camera at this site")
    assert prefix.endswith("<user>Thing:")
    assert ending == " hand drill</user><assistant>"


@pytest.mark.parametrize("wording", WORDINGS, ids=lambda wording: wording.name)
def test_examples_are_told_only_where_they_have_a_place(wording: Wording):
    prefix, _ = asked(wording, "lamp")
    assert ("cow" in prefix) == wording.shows_examples


def test_the_order_of_examples_has_no_pattern_and_is_always_the_same():
    seen = [f"seen {number}" for number in range(10)]
    never = [f"never {number}" for number in range(10)]
    order = in_mixed_order(seen, never)
    assert order == in_mixed_order(seen, never)
    assert sorted(order) == sorted(
        [Example(noun, True) for noun in seen] + [Example(noun, False) for noun in never]
    )
    changes = sum(a.seen != b.seen for a, b in pairwise(order))
    assert 5 <= changes <= 15
