"""How two runs differ, in words."""

from typing import Any

import pytest

from app.events.differences import difference

HALL = ["/videos/hall.mp4", 5, 9]
YARD = ["/videos/yard.mp4", 6, 9]


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ({"videos": [HALL]}, {"videos": [YARD]}, "another video (yard.mp4, before hall.mp4)"),
        (
            {"videos": [HALL]},
            {"videos": [YARD, HALL]},
            "other videos (yard.mp4, /videos/hall.mp4, before /videos/hall.mp4)",
        ),
        (
            {"videos": [HALL]},
            {"videos": [["/other/hall.mp4", 5, 9]]},
            "another video (/other/hall.mp4, before /videos/hall.mp4)",
        ),
        ({"videos": [HALL]}, {"videos": [[HALL[0], 7, 9]]}, "video hall.mp4 has changed since"),
        (
            {"videos": [YARD]},
            {"videos": [[f"{number}.ts", 1, 1] for number in range(5)]},
            "other videos (0.ts, 1.ts, 2.ts and 2 more, before yard.mp4)",
        ),
        ({"normal": None}, {"normal": HALL}, "another normal video (hall.mp4, before none)"),
        ({"normal": HALL}, {"normal": None}, "no normal video (before hall.mp4)"),
        (
            {"normal": [HALL]},
            {"normal": [HALL, YARD]},
            "other normal videos (/videos/hall.mp4, yard.mp4, before /videos/hall.mp4)",
        ),
        (
            {"normal_first_s": 4.0},
            {"normal_first_s": None},
            "--normal-first (4.0 before, none now)",
        ),
        ({"fps": 5.0}, {"fps": 2.0}, "fps (5.0 before, 2.0 now)"),
        (
            {"detector_config": {"kind": "padim", "passes": 160}},
            {"detector_config": {"kind": "padim", "passes": 320}},
            "detector_config (passes 160 before, 320 now)",
        ),
        (
            {"zones": {"include": [], "exclude": []}},
            {"zones": {"include": [], "exclude": [[[0, 0.5], [1, 1]]]}},
            "--exclude (exclude none before, [[[0 0.5] [1 1]]] now)",
        ),
        ({"namer": "ab12"}, {"namer": "cd34"}, "another model names things (--model, --scenario)"),
    ],
)
def test_a_setting_is_told_as_people_know_it(
    before: dict[str, Any], now: dict[str, Any], words: str
):
    assert difference(now, before) == words


def test_all_that_differ_are_told_and_nothing_else():
    before = {"fps": 5.0, "camera": "hall", "source": "rtsp://a"}
    assert difference({**before, "fps": None, "source": "rtsp://b"}, before) == (
        "fps (5.0 before, none now), source (rtsp://a before, rtsp://b now)"
    )
