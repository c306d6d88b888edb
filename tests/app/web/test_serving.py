"""The page on a real port, beside something else or by itself."""

import json
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.errors import UsageError
from app.watching.board import Board
from app.web.beside import shown_on
from app.web.serving import PORT, PageConfig, serve_beside
from tests.app.web.builders import a_site


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9000", "127.0.0.1", 9000),
        (":9000", "127.0.0.1", 9000),
        ("9000", "127.0.0.1", 9000),
        ("localhost", "localhost", PORT),
        ("[::1]:0", "::1", 0),
    ],
)
def test_an_address_is_read_as_it_is_typed(text: str, host: str, port: int):
    assert PageConfig.parse(text) == PageConfig(host, port)


@pytest.mark.parametrize("text", ["127.0.0.1:99999", "a b:80", "http://here/:80"])
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(UsageError, match="write HOST:PORT"):
        PageConfig.parse(text)


def test_others_are_not_let_in_without_a_guard(tmp_path: Path):
    with (
        pytest.raises(UsageError, match="is reached by other machines"),
        serve_beside(tmp_path, None, PageConfig("0.0.0.0", 0)),  # noqa: S104 - it is refused
    ):
        pass


def test_a_page_is_there_while_entered_and_its_port_free_after(tmp_path: Path):
    told: list[str] = []
    with shown_on("127.0.0.1:0", a_site(tmp_path), Board(), told.append):
        [said] = told
        address = said.removeprefix("Page: ")
        with urlopen(f"{address}api/v1/cameras") as answer:  # noqa: S310 - our own
            assert len(json.load(answer)["cameras"]) == 2
        port = int(address.rstrip("/").rpartition(":")[2])
        with pytest.raises(UsageError, match="another port may be free"):
            serve_beside(tmp_path, None, PageConfig(port=port)).__enter__()
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_watch_without_a_page_tells_no_address(tmp_path: Path):
    told: list[str] = []
    with shown_on(None, tmp_path, Board(), told.append):
        assert told == []


def test_a_folder_without_a_store_is_refused_in_a_sentence(tmp_path: Path):
    done = CliRunner().invoke(cli, ["serve", str(tmp_path), "--no-browser"])
    assert isinstance(done.exception, UsageError)
    assert "name the --out of an audit or a watch, or the folder of a site" in str(done.exception)
