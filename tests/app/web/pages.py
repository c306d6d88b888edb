"""A guarded application on loopback, and a browser's calls to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI, Request
from pydantic import SecretStr

from app.local_page import listen
from app.web.guard import Guard, GuardConfig, guarded
from app.web.served import served

TOKEN = "token-canary-0123456789"  # noqa: S105 - of the test
PASSWORD = "pass-canary-äö 12"  # noqa: S105 - of the test
# Made cheaply: dozens of logins would take seconds else.
HASHED = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
SAME = {"sec-fetch-site": "same-origin"}


def a_page() -> FastAPI:
    page = FastAPI()

    @page.get("/")
    def show(request: Request) -> dict[str, str]:
        return {key: request.scope[f"nomaly.{key}"] for key in ("who", "csrf")}

    @page.post("/say")
    async def say(request: Request) -> str:
        return parse_qs((await request.body()).decode())["text"][0]

    @page.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    @page.get("/healthz")
    def healthz(request: Request) -> str:
        return request.scope["nomaly.who"]

    return page


@contextmanager
def guarding(**settings: object) -> Iterator[tuple[httpx.Client, Guard]]:
    """A client without a login, and the guard before the page that it asks."""
    opened: dict[str, object] = {
        "token": SecretStr(TOKEN),
        "password_hash": SecretStr(HASHED),
        **settings,
    }
    guard = guarded(a_page(), GuardConfig.model_validate(opened))
    with (
        served(guard, listen("127.0.0.1", 0)) as address,
        httpx.Client(base_url=address) as client,
    ):
        yield client, guard


def log_in(client: httpx.Client) -> str:
    """Log in as a browser does; returns what changes bring along."""
    answer = client.post("/login", data={"password": PASSWORD}, headers=SAME)
    assert answer.status_code == 200
    return client.get("/").json()["csrf"]
