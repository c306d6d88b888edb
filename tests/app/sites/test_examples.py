"""Examples are shown to their author until both lists are right."""

from app.sites.examples import check_examples
from scenarios.proposing import Proposal


def test_an_author_checks_both_lists():
    answers = iter(["2, ladder", "", "1", " "])
    said: list[str] = []
    found = check_examples(
        Proposal(("hay", "volcano"), ("hen", "tiara")), said.append, lambda _: next(answers)
    )
    assert found == Proposal(("hay", "ladder"), ("tiara",))
    assert said[1:] == [
        "Regularly seen there: 1 hay, 2 volcano",
        "Regularly seen there: 1 hay, 2 ladder",
        "Never seen there: 1 hen, 2 tiara",
        "Never seen there: 1 tiara",
    ]
