"""Lengths of time as they are written and told."""

import pytest

from app.lengths import told, told_about, written_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12h", 43_200.0),
        (" 1.5 d ", 129_600.0),
        ("8w", 4_838_400.0),
        (".5h", 1800.0),
        ("90min", 5400.0),
        ("90m", 5400.0),
        ("3s", 3.0),
    ],
)
def test_a_number_and_a_unit_are_a_length(text: str, seconds: float):
    assert written_s(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "12", "0d", "-1h", "1e3h", "12 parsecs", "nan h"])
def test_other_words_are_no_length(text: str):
    assert written_s(text) is None


def test_only_the_units_that_are_asked_for_are_taken():
    assert written_s("12h", "hdw") == 43_200.0
    assert written_s("90min", "hdw") is None


@pytest.mark.parametrize(
    ("seconds", "exact", "about"),
    [
        (0.4, "0 s", "0 s"),
        (9.96, "10 s", "10 s"),
        (59.7, "1 min 0 s", "60 s"),
        (125.2, "2 min 5 s", "2 min"),
        (3599.0, "59 min 59 s", "60 min"),
        (12_000.0, "3 h 20 min", "3.3 h"),
        (172_800.0, "48 h 0 min", "2 days"),
    ],
)
def test_a_length_is_told_exactly_or_in_one_unit(seconds: float, exact: str, about: str):
    assert (told(seconds), told_about(seconds)) == (exact, about)


def test_a_few_seconds_can_be_told_with_a_decimal():
    assert told(7.24, tenths=True) == "7.2 s"
    assert told(10.6, tenths=True) == "11 s"
