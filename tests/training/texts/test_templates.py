import pytest

from scenarios.articles import article
from training.texts.templates import fill_templates


@pytest.mark.parametrize(
    ("noun", "expected"),
    [("apple", "an"), ("dog", "a"), ("unicorn", "a"), ("umbrella", "an"), ("hourglass", "an")],
)
def test_article(noun: str, expected: str):
    assert article(noun) == expected


def test_templates_are_filled_noun_by_noun():
    filled = fill_templates(["cup", "axe"], ["{noun}", "{article} {noun}."])
    assert filled == ["cup", "a cup.", "axe", "an axe."]
