"""Pages that this machine serves: reached by their own names, with small bodies, by no `ps`."""

import os
import signal
import stat
import sys
from html import unescape
from pathlib import Path
from subprocess import PIPE, Popen

import httpx
import pytest
from fastapi import FastAPI, Request

from app.local_page import LOOPBACK, MOST_BODY, leading_to, serving


def build(page: FastAPI, token: str) -> None:
    @page.get(f"/{token}/")
    async def show() -> str:
        return "hello"

    @page.post(f"/{token}/length")
    async def length(request: Request) -> int:
        return len(await request.body())


@pytest.mark.parametrize("host", LOOPBACK)
def test_a_page_answers_by_its_own_names_alone(host: str):
    with serving(build, host, 0) as address:
        assert httpx.get(address).json() == "hello"
        for foreign in ("evil.org", "[::2]", "127.0.0.1.evil.org", ""):
            assert httpx.get(address, headers={"Host": foreign}).status_code == 400


def test_a_body_beyond_what_a_page_says_is_refused():
    with serving(build, "127.0.0.1", 0) as address:
        told = httpx.post(f"{address}length", content=b"x" * MOST_BODY)
        assert told.json() == MOST_BODY
        assert httpx.post(f"{address}length", content=b"x" * (MOST_BODY + 1)).status_code == 413
        # Without a length told beforehand.
        pieces = (b"x" * 65536 for _ in range(MOST_BODY // 65536 + 1))
        assert httpx.post(f"{address}length", content=pieces).status_code == 413


def test_a_private_file_leads_to_the_page():
    address = "http://127.0.0.1:4321/token-canary&more/"
    with leading_to(address) as file:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert f'url={address}">' in unescape(file.read_text())
    assert not file.exists()


SERVE = """
import os, sys
from app.local_page import serve_until_stopped
from app.progress import Reporter
build = lambda page, token: print(token, flush=True)
serve_until_stopped(build, "127.0.0.1", 0, Reporter(quiet=True), task="look", browser=True)
"""


def test_the_browsers_command_line_holds_no_token(tmp_path: Path):
    said = tmp_path / "said"
    os.mkfifo(said)
    browser = tmp_path / "browser"
    browser.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(said)!r}, 'w').write(sys.argv[1])"
    )
    browser.chmod(0o700)
    environment = {**os.environ, "BROWSER": f"{browser} %s", "DISPLAY": ":99"}
    command = [sys.executable, "-c", SERVE]
    with Popen(command, env=environment, stdout=PIPE, stderr=PIPE, text=True) as serving_page:
        given = said.read_text()
        serving_page.send_signal(signal.SIGTERM)
        token, shown = serving_page.communicate(timeout=60)
    assert len(token.strip()) == 32
    assert token.strip() in shown
    assert given.startswith("file:///")
    assert token.strip() not in given
