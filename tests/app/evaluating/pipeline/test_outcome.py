"""Rows of figures."""

from app.evaluating.pipeline.meaning import Meanings
from app.evaluating.pipeline.outcome import PipelineResult, Told, ToldThing, row_of
from app.evaluating.pipeline.page import render
from app.evaluating.truth import thing_of
from calibration.named import ToldBox
from detectors.types import Box

BOX, ELSEWHERE = Box(10, 10, 40, 40), Box(80, 80, 99, 99)


def test_right_is_a_share_of_all_things_and_the_page_says_so(meanings: Meanings):
    things = {
        "hall": [
            thing_of("cat", [(1.0, BOX), (3.0, BOX)], 100),
            thing_of("cup", [(1.0, ELSEWHERE), (3.0, ELSEWHERE)], 100),
        ]
    }
    told = Told("owl", "its own", False, {"hall": [ToldThing(ToldBox(2.0, BOX, 0.9, "cat"))]})
    row = row_of(told, things, meanings)
    assert row.right is not None
    # The only thing that was found is named rightly; the other was missed.
    assert (row.right.value, row.right.images) == (0.5, 2)
    page = render(PipelineResult((row,), things, (), {}))
    assert "right: share of all things, those that were found and whose name is right" in page
