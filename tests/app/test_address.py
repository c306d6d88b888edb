"""Addresses of cameras: taken apart as they were meant, shown without their secrets."""

import html
import json
from pathlib import PurePath
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.address import is_address, split_address
from app.redact import redact, shown_address

CANARY = "hunter2canary"


@pytest.mark.parametrize(
    ("typed", "user", "password", "place", "rest"),
    [
        ("rtsp://cam", "", None, "cam", ""),
        ("rtsp://ann:pw@cam:554/1", "ann", "pw", "cam:554", "/1"),
        ("rtsp://token@cam/1", "token", None, "cam", "/1"),
        ("rtsp://u:p#ss@127.0.0.1:9/x", "u", "p#ss", "127.0.0.1:9", "/x"),
        ("rtsp://u:p/s?@cam/x", "u", "p/s?", "cam", "/x"),
        ("rtsp://u:p@s/t@cam/x", "u", "p@s/t", "cam", "/x"),
        ("rtsp://u:p@@[fe80::1]:554/x", "u", "p@", "[fe80::1]:554", "/x"),
        ("rtsp://me@home.org:p w@cam/x", "me@home.org", "p w", "cam", "/x"),
        ("rtsp://u:12/34@cam", "u", "12/34", "cam", ""),
        ("http://u:p@cam/x?to=a@b.c", "u", "p", "cam", "/x?to=a@b.c"),
        ("http://cam/x?to=a@b.c", "", None, "cam", "/x?to=a@b.c"),
        ("http://10.0.0.5:80/live/ann@home/x", "", None, "10.0.0.5:80", "/live/ann@home/x"),
        ("http://u:p@10.0.0.5/ann@home/x", "u", "p", "10.0.0.5", "/ann@home/x"),
        ("rtsp:/u:p@cam/1", "u", "p", "cam", "/1"),
    ],
)
def test_an_address_is_taken_apart_as_it_was_meant(
    typed: str, user: str, password: str | None, place: str, rest: str
):
    address = split_address(f" {typed}\n")
    assert (address.user, address.password, address.place, address.rest) == (
        user,
        password,
        place,
        rest,
    )


@pytest.mark.parametrize(
    ("typed", "url", "literal"),
    [
        ("rtsp://u:p#/?@@cam/x", "rtsp://u:p%23%2F%3F%40@cam/x", None),
        ("rtsp://u:my p%w@cam/x", "rtsp://u:my%20p%25w@cam/x", None),
        ("rtsp://u:p%40w@cam/x", "rtsp://u:p%40w@cam/x", "rtsp://u:p%2540w@cam/x"),
        ("rtsp://cam:554/a?b#c", "rtsp://cam:554/a?b#c", None),
        ("rtsp://a@b.c:é@cam", "rtsp://a%40b.c:%C3%A9@cam", None),
    ],
)
def test_a_login_is_percent_encoded_for_other_programs(typed: str, url: str, literal: str | None):
    assert split_address(typed).url() == url
    assert split_address(typed).url(literal=True) == (literal or url)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("rtsp://ann:pw@cam:554/1", "rtsp://ann:***@cam:554/1"),
        ("rtsp://ann:a'b\"c<d> e@cam/1", "rtsp://ann:***@cam/1"),
        ("rtsp://TOKEN@cam", "rtsp://***@cam"),
        ("https://ghp_x:x-oauth-basic@cam/", "https://***@cam/"),
        ("rtsp://@cam/1", "rtsp://cam/1"),
        ("rtsp://ann:secret/stream", "rtsp://***/stream"),
        ("rtsp://cam/user=a_password=b_c_channel=1_stream=0.sdp", None),
        ("rtsp://cam/user=admin&password=pw&channel=1", None),
        ("rtsp://cam/admin/secret/stream1", "rtsp://cam/admin/***/stream1"),
        ("rtsp://cam/0/admin:secret/main", "rtsp://cam/0/***/main"),
        ("rtsps://10.0.0.1:7441/7Xk2mNpQ9rStUvWx?enableSrtp", None),
        ("http://cam/cgi?-chn=12&-usr=admin&-pwd=x", "http://cam/cgi?-chn=12&-usr=admin&-pwd=***"),
        ("http://cam/v?loginuse=a&loginpas=x", "http://cam/v?loginuse=a&loginpas=***"),
        ("http://cam/v?p=12&passwort=a&userpwd=b", "http://cam/v?p=***&passwort=***&userpwd=***"),
        ("http://cam/v?authkey=1&jwt=a.b.c#session=x", None),
        ("http://cam/v?whatever=abc&x=7&resolution=640x480", None),
        ("http://cam/v?src=rtsp://a:pw@b/1", "http://cam/v?src=rtsp://a:***@b/1"),
        ("http://cam/axis-cgi/mjpg/video.cgi?camera=1", None),
        ("rtsp://cam/h264Preview_01_main", None),
        ("rtsp://cam/Streaming/Channels/101", None),
        ("rtsp://cam/\x1b[31m\x07", "rtsp://cam/?[31m?"),
    ],
)
def test_an_address_is_shown_without_its_secrets(typed: str, shown: str | None):
    expected = {
        "rtsp://cam/user=a_password=b_c_channel=1_stream=0.sdp": (
            "rtsp://cam/user=a_password=***_channel=1_stream=0.sdp"
        ),
        "rtsp://cam/user=admin&password=pw&channel=1": (
            "rtsp://cam/user=admin&password=***&channel=1"
        ),
        "rtsps://10.0.0.1:7441/7Xk2mNpQ9rStUvWx?enableSrtp": (
            "rtsps://10.0.0.1:7441/***?enableSrtp"
        ),
        "http://cam/v?authkey=1&jwt=a.b.c#session=x": (
            "http://cam/v?authkey=***&jwt=***#session=***"
        ),
        "http://cam/v?whatever=abc&x=7&resolution=640x480": (
            "http://cam/v?whatever=***&x=7&resolution=640x480"
        ),
    }
    assert shown_address(typed) == (shown or expected.get(typed, typed))
    assert shown_address(shown_address(typed)) == shown_address(typed)


SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\n\r"),
    max_size=10,
).map(lambda text: f"{CANARY}{text}{CANARY}")


@given(secret=SECRETS, form=st.sampled_from(["rtsp://u:{}@cam/1", "rtsp://{}@cam/1"]))
def test_no_login_survives_whatever_its_signs(secret: str, form: str):
    # Before a colon stands a user, who is shown.
    secret = secret if ":" in form[8:] else secret.replace(":", "")
    typed = form.format(secret)
    address = split_address(typed)
    encoded = quote(secret, safe="")
    text = (
        f"{typed} {secret!r} {json.dumps(secret)} {html.escape(secret)} {encoded} {PurePath(typed)}"
    )
    assert CANARY not in address.shown
    assert CANARY not in repr(address)
    assert CANARY not in redact(f"login {secret} refused; {text} {unquote(secret)}", typed)


def test_files_and_numbers_are_no_addresses():
    for text in ("a.mp4", "0", "C:/a.mp4", "file:///a.mp4", "a:b.mp4", "/rtsp/a"):
        assert not is_address(text)
        assert shown_address(text) == text
    for text in ("rtsp://cam", " RTSP://cam", "rtsp:/cam/1", "gopher://x"):
        assert is_address(text)
