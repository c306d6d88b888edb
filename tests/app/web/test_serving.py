"""The page on a real port, beside something else or by itself."""

import json
import socket
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from app.cli import cli
from app.errors import UsageError
from app.watching.board import Board
from app.web.beside import shown_on
from app.web.guard import GuardConfig
from app.web.served import read_place
from app.web.serving import PORT, page_config, serve_beside, with_open_metrics
from app.web.sessions import LOGIN
from tests.app.web.builders import a_site
from tests.app.web.pages import HASHED, PASSWORD, SAME, TOKEN

ALL = "0.0.0.0"  # noqa: S104 - it is guarded, or refused


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOMALY_TOKEN", raising=False)
    monkeypatch.delenv("NOMALY_PASSWORD_HASH", raising=False)


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
    config = page_config(text)
    assert (config.host, config.port) == (host, port)


@pytest.mark.parametrize("text", ["127.0.0.1:99999", "a b:80", "http://here/:80"])
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(UsageError, match=r"--page .*: write an address and a port"):
        page_config(text)


def test_an_address_without_a_port_is_refused_where_there_is_no_usual_one():
    with pytest.raises(UsageError, match="--metrics localhost: write an address and a port"):
        read_place("localhost", "--metrics")


def test_others_are_not_let_in_without_a_password_or_a_token(tmp_path: Path):
    with (
        pytest.raises(UsageError, match="is reached by others, and nothing keeps them out: run"),
        shown_on(f"{ALL}:0", tmp_path, Board(), lambda _: None),
    ):
        pass


def test_others_come_in_by_the_password_and_scripts_by_the_token(tmp_path: Path):
    config = GuardConfig(host=ALL, port=0, token=SecretStr(TOKEN), password_hash=SecretStr(HASHED))
    with serve_beside(a_site(tmp_path), None, config) as opened:
        cameras = f"{opened.address}api/v1/cameras"
        assert httpx.get(cameras).status_code == 401
        told = httpx.get(cameras, headers={"authorization": f"Bearer {TOKEN}"}).json()
        assert len(told["cameras"]) == 2
        with httpx.Client(base_url=opened.address, headers=SAME) as client:
            client.post("/login", data={"password": PASSWORD})
            assert "Log out" in client.get("/").text


def test_a_page_is_there_while_entered_and_its_port_free_after(tmp_path: Path):
    told: list[str] = []
    with shown_on("127.0.0.1:0", a_site(tmp_path), Board(), told.append):
        [said] = told
        address = said.removeprefix("Page: ").split(" ")[0]
        file = tmp_path / LOGIN
        assert said == f"Page: {address} (log in by {file})", "no terminal, so no link"
        link = file.read_text().partition("url=")[2].partition('"')[0]
        with httpx.Client(base_url=address, headers=SAME) as client:
            assert client.get("/api/v1/cameras").status_code == 401
            assert client.get(link).status_code == 200
            assert len(json.loads(client.get("/api/v1/cameras").text)["cameras"]) == 2
        port = int(address.rstrip("/").rpartition(":")[2])
        with pytest.raises(UsageError, match=r"cannot be listened on: .*; try another port"):
            serve_beside(tmp_path, None, GuardConfig(port=port)).__enter__()
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_on_a_terminal_the_link_is_shown(tmp_path: Path):
    with serve_beside(a_site(tmp_path), None, GuardConfig(port=0)) as opened:
        said = opened.told(link=True)
        assert said == f"Page: {opened.link} (opens once; {tmp_path / LOGIN} always does)"
        assert httpx.get(opened.link).status_code == 200


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 200), (ALL, 401)])
def test_open_metrics_are_open_to_this_machine_alone(tmp_path: Path, host: str, status: int):
    config = with_open_metrics(GuardConfig(host=host, port=0, token=SecretStr(TOKEN)))
    with serve_beside(a_site(tmp_path), None, config) as opened:
        assert httpx.get(f"{opened.address}metrics").status_code == status


def test_a_watch_without_a_page_tells_no_address(tmp_path: Path):
    told: list[str] = []
    with shown_on(None, tmp_path, Board(), told.append):
        assert told == []


def test_a_folder_without_a_store_is_refused_in_a_sentence(tmp_path: Path):
    done = CliRunner().invoke(cli, ["serve", str(tmp_path), "--no-browser"])
    assert isinstance(done.exception, UsageError)
    assert "name the --out of an audit or a watch, or the folder of a site" in str(done.exception)
