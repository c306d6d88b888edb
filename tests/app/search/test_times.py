"""Times as people write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.errors import UsageError
from app.search.times import time_us

NOW = datetime(2026, 11, 30, 18, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("24h", "2026-11-29T16:30"),
        ("90min ago", "2026-11-30T15:00"),
        ("1.5h", "2026-11-30T15:00"),
        ("7d", "2026-11-23T16:30"),
        ("today", "2026-11-29T22:00"),
        ("Yesterday", "2026-11-28T22:00"),
        ("12:03", "2026-11-30T10:03"),
        ("2026-11-29", "2026-11-28T22:00"),
        ("2026-11-29T12:03", "2026-11-29T10:03"),
        ("2026-11-29 12:03:20", "2026-11-29T10:03:20"),
        ("2026-11-29T12:03+00:00", "2026-11-29T12:03"),
        ("now", "2026-11-30T16:30"),
    ],
)
def test_a_time_is_read_as_it_is_written(text: str, meant: str):
    at = datetime.fromtimestamp(time_us(text, NOW) / 1e6, UTC)
    assert at == datetime.fromisoformat(meant).replace(tzinfo=UTC)


def test_until_a_day_means_until_it_is_over():
    day = 24 * 3600 * 1_000_000
    assert time_us("today", NOW, end=True) == time_us("today", NOW) + day
    assert time_us("2026-11-29", NOW, end=True) == time_us("2026-11-30", NOW)
    assert time_us("12:03", NOW, end=True) == time_us("12:03", NOW)


@pytest.mark.parametrize("text", ["", "soon", "25:00", "2026-13-01", "5 parsecs"])
def test_other_words_are_refused_with_what_can_be_written(text: str):
    with pytest.raises(UsageError, match="is no time; write 24h, 7d, today"):
        time_us(text, NOW)
