"""Who gets through the door, and what does not."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.errors import UsageError
from app.web.bounded import HEADERS
from app.web.guard import GuardConfig
from app.web.passwords import FREE_TRIES
from app.web.sessions import LOGIN, SESSIONS, Sessions
from tests.app.web.pages import HASHED, PASSWORD, SAME, TOKEN, guarding, log_in

ALL = "0.0.0.0"  # noqa: S104 - nothing listens there


def test_nobody_is_let_in_without_a_login_also_on_this_machine():
    with guarding() as (client, _):
        assert client.get("/").status_code == 401
        assert client.get("/openapi.json").status_code == 401
        assert client.get("//healthz").status_code == 401
        shown = client.get("/", headers={"accept": "text/html"})
        assert (shown.status_code, shown.headers["location"]) == (303, "/login")
        assert client.get("/healthz").json() == ""


def test_a_password_opens_the_page_and_logging_out_closes_it():
    with guarding() as (client, _):
        csrf = log_in(client)
        assert client.get("/").json()["who"] == "session"
        kept = dict(client.cookies)
        assert client.post("/logout", headers=SAME).status_code == 303
        client.cookies.update(kept)
        assert client.get("/").status_code == 401
        assert len(csrf) == 64


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites():
    with guarding(https=True) as (client, _):
        answer = client.post("/login", data={"password": PASSWORD}, headers=SAME)
        cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", "secure", "path=/"):
        assert part in cookie
    assert "location" not in answer.headers, "a redirect would go without a strict cookie"


def test_a_script_is_let_in_by_its_token_alone():
    with guarding() as (client, _):
        good = {"authorization": f"Bearer {TOKEN}"}
        assert client.get("/", headers=good).json() == {"who": "token", "csrf": ""}
        assert client.post("/length", headers=good, content=b"abc").json() == 3
        assert client.get("/", headers={"authorization": f"Bearer {TOKEN}x"}).status_code == 401
        assert client.get(f"/?token={TOKEN}").status_code == 401
        assert client.get("/", headers={"authorization": f"Basic {TOKEN}"}).status_code == 401


def test_a_link_lets_in_once():
    with guarding(token=None, password_hash=None) as (client, guard):
        link, file = guard.invited(f"{client.base_url}")
        first = client.get(link, headers={"sec-fetch-site": "cross-site"})
        assert (first.status_code, client.get("/").status_code) == (200, 200)
        client.cookies.clear()
        assert client.get(link).status_code == 401
        assert file is None, "nobody asked to keep any"
        assert client.get("/login/").status_code == 401
        assert client.get("/").status_code == 401


def test_a_private_file_always_holds_a_link_that_works(tmp_path: Path):
    with guarding(folder=tmp_path) as (client, guard):
        file = guard.entry.links.show_at(lambda once: once)
        assert file is not None
        assert file == tmp_path / LOGIN
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for _ in range(3):
            assert client.get(f"/login/{file.read_text()}").status_code == 200


def test_who_is_wrong_too_often_has_to_wait_and_passwords_stop_no_script():
    with guarding() as (client, _):
        for _ in range(FREE_TRIES):
            tried = client.post("/login", data={"password": "wrong wrong"}, headers=SAME)
            assert (tried.status_code, "not the password" in tried.text) == (401, True)
        waits = client.post("/login", data={"password": PASSWORD}, headers=SAME)
        assert (waits.status_code, waits.headers["retry-after"]) == (429, "1")
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert client.get("/", headers=bearer).status_code == 200
        for _ in range(FREE_TRIES):
            assert client.get("/", headers={"authorization": "Bearer guess"}).status_code == 401
        assert client.get("/", headers=bearer).status_code == 429


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
    ],
)
def test_what_another_page_sends_changes_nothing(headers: dict[str, str]):
    with guarding() as (client, _):
        headers["x-csrf-token"] = log_in(client)
        assert client.post("/say", data={"text": "a"}, headers=headers).status_code == 403
        quiet = {**headers, "sec-fetch-mode": "no-cors"}
        assert client.get("/", headers=quiet).status_code == 403
        assert (
            client.post("/login", data={"password": PASSWORD}, headers=headers).status_code == 403
        )


def test_a_form_brings_what_only_the_page_knows():
    with guarding() as (client, _):
        csrf = log_in(client)
        say = {"text": "größer"}
        assert client.post("/say", data=say, headers=SAME).status_code == 403
        assert client.post("/say", data={**say, "csrf": "0"}, headers=SAME).status_code == 403
        assert client.post("/say", data={**say, "csrf": csrf}, headers=SAME).json() == "größer"
        assert client.post("/say", data=say, headers={**SAME, "x-csrf-token": csrf}).is_success
        # Nothing tells where it came from: the token has to.
        assert client.post("/length", json={}).status_code == 403
        assert client.post("/length", json={}, headers=SAME).json() == 2


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "[::2]", "", "10.0.0.5"]
)
def test_a_foreign_name_for_this_machine_is_refused(host: str):
    with guarding() as (client, _):
        assert client.get("/healthz", headers={"host": host}).status_code == 400


def test_names_of_its_own_are_answered():
    with guarding(names=("cameras.home.lan",)) as (client, _):
        for host in ("localhost:80", "[::1]:8080", "Cameras.Home.LAN."):
            assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_too_much_at_once_is_refused_whatever_the_application_does():
    with guarding(most_body=1000) as (client, _):
        bearer = {"authorization": f"Bearer {TOKEN}"}
        for path in ("/length", "/say", "/none"):
            assert client.post(path, content=b"x" * 1001, headers=bearer).status_code == 413
        for path in ("/length", "/say"):
            # Without a length told beforehand.
            pieces = iter([b"x" * 600] * 2)
            assert client.post(path, content=pieces, headers=bearer).status_code == 413
        assert client.post("/login", content=b"x" * 9000).status_code == 413


def test_every_answer_has_the_headers_that_keep_a_page_safe():
    with guarding() as (client, _):
        for path in ("/", "/login", "/healthz", "/none"):
            answer = client.get(path)
            assert all(name in answer.headers for name in HEADERS), path
            assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (
            {"host": ALL},
            "0.0.0.0 is reached by others, and nothing keeps them out: run nomaly",
        ),
        ({"host": "cameras.lan"}, "reached by others"),
        ({"token": SecretStr("short")}, "shorter than 16 characters; take a random one"),
        ({"password_hash": SecretStr("my password")}, "is no argon2 hash; run nomaly password"),
    ],
)
def test_a_page_without_a_lock_is_not_opened_to_others(settings: dict[str, object], why: str):
    with pytest.raises(UsageError, match=why):
        GuardConfig.model_validate(settings).checked()


def test_the_environment_holds_the_secrets_that_the_file_does_not():
    found = {"NOMALY_TOKEN": TOKEN, "NOMALY_PASSWORD_HASH": HASHED}
    config = GuardConfig(host=ALL).with_environment(found).checked()
    assert config.token is not None
    assert config.password_hash is not None
    assert TOKEN not in repr(config)
    assert HASHED not in repr(config)
    assert not config.is_local


def test_an_address_of_others_is_reached_by_number_but_by_no_foreign_name():
    with guarding(host=ALL) as (client, _):
        assert client.get("/healthz", headers={"host": "192.168.1.7:8080"}).status_code == 200
        assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 400


def test_logins_survive_a_restart_until_the_password_changes(tmp_path: Path):
    cookie = Sessions(tmp_path, "hash").begin()
    assert Sessions(tmp_path, "hash").knows(cookie)
    assert not Sessions(tmp_path, "another hash").knows(cookie)
    assert cookie not in (tmp_path / SESSIONS).read_text()
    assert stat.S_IMODE((tmp_path / SESSIONS).stat().st_mode) == 0o600
    (tmp_path / SESSIONS).write_text("[]")
    assert not Sessions(tmp_path, "hash").knows(cookie)


def test_the_door_needs_nothing_from_elsewhere():
    with guarding() as (client, _):
        text = client.get("/login").text
        assert "http" not in text.replace("http-equiv", "")
        assert "<script" not in text
