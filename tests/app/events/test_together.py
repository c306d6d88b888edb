"""The bytes of a site hold for all its cameras together."""

import threading
from pathlib import Path

import pytest

from app.events.keep import keep
from app.events.media_files import media_files
from app.events.retention import RetentionRule
from app.events.together import retain_all, retain_bytes
from app.service.storage import keeping_bytes
from novic.whole_files import NEW
from tests.app.events.test_giving_up import DAY_S, MONTH, NOW_US, dated, days_of, filled

GIGABYTE = 1e9


@pytest.fixture
def site(tmp_path: Path) -> list[Path]:
    """A hall with events of days 70 to 95, a yard with those of days 92 to 97."""
    days = {"hall": range(70, 96, 5), "yard": range(92, 98, 5)}
    for name, seen in days.items():
        filled(tmp_path / name, *(dated(day) for day in seen))
    return [tmp_path / name for name in days]


def days_with_pictures(folder: Path) -> list[int]:
    return sorted({round(one.start_us / 1e6 / DAY_S) for one in media_files(folder)})


def taken(site: list[Path]) -> int:
    """What all takes, as the command counts it."""
    whole = retain_all(site, RetentionRule(days=None, gigabytes=None), dry=True, now_us=0)
    return sum(one.bytes_left for one in whole)


def all_but(site: list[Path], files: int) -> RetentionRule:
    """A rule by which the pictures of so many of the hall's oldest events go."""
    oldest = [one for one in media_files(site[0]) if one.start_us <= (70 + 5 * files) * DAY_S * 1e6]
    size = sum(one.size for one in oldest if one.start_us < (70 + 5 * files) * DAY_S * 1e6)
    return RetentionRule(days=None, gigabytes=(taken(site) - size) / GIGABYTE)


def test_the_oldest_pictures_of_any_camera_go_first(site: list[Path]):
    hall, yard = retain_bytes(site, all_but(site, 5))
    assert hall is not None
    assert (yard, hall.over_bytes) == (None, 0)
    assert days_with_pictures(site[0]) == [95]
    assert days_with_pictures(site[1]) == [92, 97]
    assert [len(days_of(folder)) for folder in site] == [6, 2]


def test_what_is_kept_of_one_camera_counts_and_the_other_gives_up_for_it(site: list[Path]):
    keep(site[0], [f"{round(day * DAY_S * 1e6):014x}-abc" for day in range(70, 95, 5)])
    retain_bytes(site, all_but(site, 2))
    assert days_with_pictures(site[0]) == [70, 75, 80, 85, 90]
    assert days_with_pictures(site[1]) in ([], [97])
    none = retain_bytes(site, RetentionRule(days=None, gigabytes=1e-6))
    assert days_with_pictures(site[0]) == [70, 75, 80, 85, 90]
    assert sum(one.over_bytes for one in none if one is not None) == pytest.approx(
        taken(site) - 1000, abs=4
    )


def test_a_dry_run_says_what_goes_by_age_and_bytes_of_each(site: list[Path]):
    rule = RetentionRule(days=10, gigabytes=all_but(site, 5).gigabytes)
    planned = retain_all(site, rule, dry=True, now_us=NOW_US)
    done = retain_all(site, rule, now_us=NOW_US)
    assert [(one.events, one.files) for one in planned] == [(one.events, one.files) for one in done]
    assert [one.events for one in done] == [4, 0]
    tight = RetentionRule(days=30, gigabytes=(taken(site) - 1) / GIGABYTE)
    planned = retain_all(site, tight, dry=True, now_us=NOW_US)
    done = retain_all(site, tight, now_us=NOW_US)
    assert [one.files for one in planned] == [one.files for one in done] == [{}, {"heat": 1}]
    assert (done[1].oldest_us, done[1].over_bytes) == (round(92 * DAY_S * 1e6), 0)


def test_without_a_limit_nothing_is_counted(site: list[Path]):
    assert retain_bytes(site, MONTH) == [None, None]


def test_a_site_that_is_watched_is_kept_within_its_bytes(site: list[Path]):
    said, told = [], threading.Event()

    def say(text: str) -> None:
        said.append(text)
        told.set()

    most = all_but(site, 3).gigabytes
    with keeping_bytes(site[0].parent, lambda: most, say, first_s=0, every_s=0.01):
        assert told.wait(10)
    assert said[0].startswith(f"{site[0]}: 0 events, ")
    assert days_with_pictures(site[0]) == [85, 90, 95]


def test_what_is_being_written_is_not_given_up(site: list[Path]):
    begun = site[0] / "crops" / f"0000000000000000-abc.jpg{NEW}"
    begun.write_bytes(b"half")
    retain_bytes(site, RetentionRule(days=None, gigabytes=1e-6))
    assert days_with_pictures(site[0]) == []
    assert begun.exists()


def test_a_site_that_cannot_be_kept_says_so_and_one_without_stores_waits(tmp_path: Path):
    said, told = [], threading.Event()

    def say(text: str) -> None:
        said.append(text)
        told.set()

    with keeping_bytes(tmp_path, lambda: 1e-6, say, first_s=0, every_s=0.01):
        told.wait(0.05)
        assert said == []
        filled(tmp_path / "hall", dated(1))
        assert told.wait(10)
        while len(said) < 2:
            told.wait(0.01)
    assert "more than may be kept are left" in said[-1]
