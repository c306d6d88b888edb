"""Texts that people search for, taken apart."""

import pytest

from app.search.question import question


@pytest.mark.parametrize(
    ("text", "thing", "colours", "sides", "place"),
    [
        ("red toolbox near the wing", "toolbox", ("red",), (), "wing"),
        ("a bird", "bird", (), (), ""),
        ("something gray on the left", "", ("grey",), ("left",), ""),
        ("anything at the bottom right", "", (), ("bottom", "right"), ""),
        ("white van in front of the gate", "van", ("white",), (), "gate"),
        ("something in the hall", "hall", (), (), ""),
        ("", "", (), (), ""),
        ("'\"; DROP * NEAR", "drop near", (), (), ""),
    ],
)
def test_a_text_is_taken_apart(
    text: str, thing: str, colours: tuple[str, ...], sides: tuple[str, ...], place: str
):
    asked = question(text)
    assert (asked.thing, asked.colours, asked.sides, asked.place) == (thing, colours, sides, place)


def test_words_for_people_also_mean_what_people_are_called():
    assert question("somebody at the gate").words == ("somebody", "gate", "person")
    assert question("the wrench").words == ("wrench",)
