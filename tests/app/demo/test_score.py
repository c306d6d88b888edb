from dataclasses import dataclass

import pytest

from app.demo.footage import DemoPlan, Placement
from app.demo.score import is_right, score_demo
from detectors.types import Box

HYPERNYMS = {
    "parrot": ["bird", "animal", "object"],
    "macaw": ["parrot", "bird"],
    "crow": ["bird"],
    "espresso": ["coffee"],
}


def placed(noun: str, box: Box, enter_s: float, accepts: tuple[str, ...] = ()) -> Placement:
    return Placement(
        noun=noun,
        accepts=accepts or (noun,),
        kinds=(),
        flip=False,
        width_px=round(box.width),
        box=box,
        size=(480, 640),
        stands="floor",
        slide=(-700.0, 0.0),
        enter_s=enter_s,
        rest_s=enter_s + 1,
        leave_s=enter_s + 9,
        gone_s=enter_s + 10,
    )


def plan(*placements: Placement) -> DemoPlan:
    return DemoPlan(0, "yard", (480, 640), 5.0, 40.0, 240.0, placements)


PARROT = placed("parrot", Box(100, 300, 200, 400), 60)
CUP = placed("cup", Box(400, 300, 432, 340), 100, ("cup", "coffee"))


def event(start_s: float, box: list[float], *nouns: str) -> dict[str, object]:
    candidates = [[noun, 0.5 / (n + 1)] for n, noun in enumerate(nouns)]
    return {
        "start_s": start_s,
        "end_s": start_s + 8,
        "box": box,
        "noun": nouns[0] if nouns else "",
        "p": 0.5,
        "candidates": candidates,
    }


@pytest.mark.parametrize(
    ("noun", "right"),
    [
        pytest.param("parrot", True, id="the noun itself"),
        pytest.param("Parrot ", True, id="however it is written"),
        pytest.param("bird", True, id="a kind that it belongs to"),
        pytest.param("macaw", True, id="a more special kind of it"),
        pytest.param("crow", False, id="a sibling"),
        pytest.param("object", False, id="a word that fits everything"),
        pytest.param("", False, id="no name"),
    ],
)
def test_is_right(noun: str, right: bool):
    assert is_right(noun, ["parrot"], HYPERNYMS) == right


def test_own_kinds_count_without_a_dictionary():
    assert is_right("bird", ["parrot"], {}, kinds=["bird"])
    assert not is_right("bird", ["parrot"], {})


def test_found_and_named():
    score = score_demo(
        plan(PARROT, CUP),
        [
            event(61, [110, 300, 210, 400], "crow", "bird", "hawk"),
            event(101, [398, 298, 434, 342], "espresso"),
        ],
        HYPERNYMS,
    )
    assert (score.placed, score.found, score.false_events) == (2, 2, 0)
    assert (score.placed_wide, score.found_wide) == (1, 1)  # the cup is 5% wide
    assert (score.named_top1, score.named_top3) == (1, 2)
    parrot, cup = score.placements
    assert parrot.iou == pytest.approx(9000 / 11000)
    assert (parrot.named, parrot.p, parrot.event) == ("crow", 0.5, 0)
    assert (parrot.named_top1, parrot.named_top3) == (False, True)
    assert cup.named_top1


@pytest.mark.parametrize(
    ("facts", "told", "right"),
    [
        pytest.param({"sure": True}, "macaw", True, id="a noun"),
        pytest.param({"is_a": {"kind": "bird", "sure": True}}, "bird", True, id="a kind"),
        pytest.param({"is_a": {"kind": "tool", "sure": True}}, "tool", False, id="another kind"),
        pytest.param({"is_a": {"kind": "bird", "sure": False}}, "", False, id="a likely kind"),
        pytest.param({}, "", False, id="a guess"),
    ],
)
def test_what_is_told_as_a_fact_is_counted_apart_from_guesses(
    facts: dict[str, object], told: str, right: bool
):
    seen = event(61, [100, 300, 200, 400], "macaw") | facts
    score = score_demo(plan(PARROT), [seen], HYPERNYMS)
    assert (score.placements[0].told, score.told_right) == (told, int(right))
    assert (score.told, score.named_top1) == (int(bool(told)), 1)


@pytest.mark.parametrize(
    ("events", "found", "false_events"),
    [
        pytest.param([], 0, 0, id="nothing seen"),
        pytest.param([event(61, [160, 300, 260, 400], "parrot")], 0, 0, id="box too far off"),
        pytest.param([event(61, [500, 10, 600, 90], "parrot")], 0, 1, id="somewhere else"),
        pytest.param([event(150, [100, 300, 200, 400], "parrot")], 0, 1, id="at another time"),
        pytest.param([event(61, [0, 310, 60, 390], "parrot")], 0, 0, id="on its way in"),
        pytest.param(
            [event(61, [150, 300, 250, 400]), event(63, [100, 300, 200, 410], "parrot")],
            1,
            0,
            id="the better of two boxes counts",
        ),
    ],
)
def test_matching(events: list[dict[str, object]], found: int, false_events: int):
    score = score_demo(plan(PARROT), events, HYPERNYMS)
    assert (score.found, score.false_events) == (found, false_events)


def test_a_fourth_name_does_not_count():
    score = score_demo(
        plan(PARROT), [event(61, [100, 300, 200, 400], "a", "b", "c", "parrot")], HYPERNYMS
    )
    assert (score.found, score.named_top3) == (1, 0)


def test_normal_seconds_leave_out_the_time_of_objects():
    assert score_demo(plan(PARROT, CUP), [], {}).normal_seconds == pytest.approx(180.0)


@dataclass
class Seen:
    start_s: float
    end_s: float
    box: Box
    noun: str
    p: float
    candidates: list[tuple[str, float]]


def test_events_may_be_objects_without_candidates():
    seen = Seen(61.0, 69.0, Box(100, 300, 200, 400), "parrot", 0.8, [])
    score = score_demo(plan(PARROT), [seen], {})
    assert (score.named_top1, score.placements[0].p) == (1, 0.8)


def test_a_trail_of_boxes_may_touch_what_the_last_box_does_not():
    wandering = event(61, [600, 0, 640, 40], "parrot") | {"boxes": [[65.0, [100, 300, 200, 400]]]}
    assert score_demo(plan(PARROT), [wandering], {}).false_events == 0
