"""The time in a file's name."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.sources.start_time import time_in_name

WHEN = datetime(2024, 1, 31, 10, 15, 0)  # noqa: DTZ001 - local
MINUTE = "2024-01-31_10-15"


@pytest.mark.parametrize(
    "name",
    [
        "20240131_101500.mp4",
        "20240131101500.mp4",
        "2024-01-31T10-15-00.mp4",
        "2024-01-31 10.15.00.mkv",
        "hall_2024-01-31_10:15:00.ts",
        "NVR_ch2_main_20240131101500_20240131102500.mp4",
        "VID-20240131-101500-2.mp4",
        "2024-01-31/10.15.00-10.25.00[M][0@0][0].dav",
        "20240131/101500.mp4",
        "2024_01_31_10h15m00s.mp4",
        f"{MINUTE}.mp4",
    ],
)
def test_local_times_in_names_are_read(name: str):
    assert time_in_name(Path("/nvr") / name) == WHEN.astimezone()


@pytest.mark.parametrize(
    "name", ["20240131T101500Z.mp4", "1706696100.mp4", "cam-1706696100123.mkv"]
)
def test_times_in_utc_are_read(name: str):
    told = time_in_name(Path("/nvr") / name)
    assert told is not None
    assert told.replace(microsecond=0) == datetime(2024, 1, 31, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["door.mp4", "20240131.mp4", "20241331_101500.mp4", "cam_1234567.mp4", "0000000001.ts"]
)
def test_other_numbers_are_no_times(name: str):
    assert time_in_name(Path("/nvr") / name) is None
