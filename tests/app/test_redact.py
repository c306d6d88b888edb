"""No password reaches a text that people see."""

import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.redact import RedactFilter, redact

CANARY = "hunter2canary"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        pytest.param("rtsp://ann:pw@cam/1", "rtsp://ann:***@cam/1", id="plain"),
        pytest.param("rtsp://:pw@cam/1", "rtsp://:***@cam/1", id="no user"),
        pytest.param("RTSPS://ann:p%40w@cam:554", "RTSPS://ann:***@cam:554", id="encoded at"),
        pytest.param("rtsp://ann:p@w@cam/1", "rtsp://ann:***@cam/1", id="at inside"),
        pytest.param("rtsp://ann:p/w@cam/1", "rtsp://ann:***@cam/1", id="slash inside"),
        pytest.param("http://ann:@cam/", "http://***@cam/", id="a token as user"),
        pytest.param(
            "[Errno 5] failed: 'rtsp://ann:pw@cam/1' (x)",
            "[Errno 5] failed: 'rtsp://ann:***@cam/1' (x)",
            id="quoted in an exception",
        ),
        pytest.param(
            "a rtsp://a:b@c/1, rtsp://d:e@f/2.",
            "a rtsp://a:***@c/1, rtsp://d:***@f/2.",
            id="two in one line",
        ),
        pytest.param(
            "http://cam/v?user=ann&password=pw&x=1",
            "http://cam/v?user=ann&password=***&x=1",
            id="query",
        ),
        pytest.param("http://c/?access_token=abc#k", "http://c/?access_token=***#k", id="token"),
        pytest.param("http://c/?API_KEY=abc", "http://c/?API_KEY=***", id="api key"),
        pytest.param(
            "http://proxy/?src=rtsp%3A%2F%2Fann%3Apw%40cam%2F1",
            "http://proxy/?src=rtsp%3A%2F%2Fann%3A***%40cam%2F1",
            id="a URL inside a URL",
        ),
        pytest.param("Authorization: Basic YTpi", "Authorization: Basic ***", id="header"),
        pytest.param("rtsp://cam:554/1", "rtsp://cam:554/1", id="a port is no password"),
        pytest.param("rtsp://ann@cam/1", "rtsp://***@cam/1", id="a user alone is a token"),
        pytest.param("rtsp://u:my pw@cam/1", "rtsp://u:***@cam/1", id="a space"),
        pytest.param("no rtsp://u:my pw@cam/1 here", "no rtsp://u:***@cam/1 here", id="in words"),
        pytest.param("rtsp://u:it's@cam/1", "rtsp://u:***@cam/1", id="a quote"),
        pytest.param(
            "rtsp://cam:554 is down, tell a@b", "rtsp://cam:554 is down, tell a@b", id="w"
        ),
        pytest.param("3:15 to a@b.example: fine", "3:15 to a@b.example: fine", id="no URL"),
        pytest.param("http://c/?monkey=1", "http://c/?monkey=1", id="key only as a whole word"),
    ],
)
def test_redact(text: str, safe: str):
    assert redact(text) == safe


def test_the_password_of_a_known_url_is_hidden_without_its_url():
    uri = "rtsp://ann:hunter%402@cam/1"
    assert redact("login ann/hunter@2 or hunter%402 refused", uri) == "login ann/*** or *** refused"


@given(
    user=st.text(st.sampled_from("abc%20-"), max_size=5),
    tail=st.text(st.sampled_from("xyz@/:?#%40&=!"), max_size=12),
    after=st.sampled_from(["", " ", "'", ", then", "/path?x=1"]),
)
def test_no_password_survives(user: str, tail: str, after: str):
    assert CANARY not in redact(f"before rtsp://{user}:{CANARY}{tail}@camera{after}")


def test_redacting_twice_changes_nothing():
    once = redact("rtsp://ann:pw@cam/1?token=t")
    assert redact(once) == once


def test_a_log_with_a_traceback_is_clean():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactFilter())
    log = logging.getLogger("test_redact")
    log.propagate = False
    log.addHandler(handler)
    try:
        raise OSError(f"rtsp://ann:{CANARY}@cam/1 unreachable")
    except OSError:
        log.exception("cannot open %s", f"rtsp://ann:{CANARY}@cam/1")
    finally:
        log.removeHandler(handler)
    assert CANARY not in stream.getvalue()
    assert "cannot open rtsp://ann:***@cam/1" in stream.getvalue()
    assert "OSError: rtsp://ann:***@cam/1 unreachable" in stream.getvalue()
