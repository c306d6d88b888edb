"""Answers to what an HTTP server asks of those who want in: Basic (RFC 7617), Digest (RFC 7616)."""

import base64
import hashlib
import secrets
import urllib.request
from collections.abc import Sequence

_HASHES = {"md5": "md5", "sha-256": "sha256", "sha-512-256": "sha512_256"}


def best_challenge(challenges: Sequence[str]) -> str:
    """The strongest of what a server offers that can be answered; empty if none can."""
    digests = [one for one in challenges if one.lower().startswith("digest ") and _hash(one)]
    basics = [one for one in challenges if one.lower().startswith("basic")]
    stronger = [one for one in digests if _hash(one) != "md5"]
    return next(iter([*stronger, *digests, *basics]), "")


def authorization(challenge: str, login: tuple[str, str], target: str, count: int) -> str:
    """The value of the Authorization header.

    Args:
        challenge: What the server asked, a value of WWW-Authenticate.
        login: User and password, as the camera knows them.
        target: Path and query that are asked for.
        count: How many times the challenge has been answered, this time included.
    """
    user, password = login
    if not challenge.lower().startswith("digest "):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    asked = _fields(challenge)
    method = _hash(challenge)

    def digest(text: str) -> str:
        return hashlib.new(method, text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce = asked.get("realm", ""), asked.get("nonce", "")
    own, times = secrets.token_hex(8), f"{count:08x}"
    secret = digest(f"{user}:{realm}:{password}")
    if asked.get("algorithm", "").lower().endswith("-sess"):
        secret = digest(f"{secret}:{nonce}:{own}")
    of_auth = "auth" in [word.strip() for word in asked.get("qop", "").split(",")]
    between = f"{nonce}:{times}:{own}:auth" if of_auth else nonce
    answer = {
        "username": user,
        "realm": realm,
        "nonce": nonce,
        "uri": target,
        "response": digest(f"{secret}:{between}:{digest(f'GET:{target}')}"),
        **{name: asked[name] for name in ("opaque",) if name in asked},
        **({"cnonce": own} if of_auth else {}),
    }
    plain = {
        **{name: asked[name] for name in ("algorithm",) if name in asked},
        **({"qop": "auth", "nc": times} if of_auth else {}),
    }
    quoted = [f'{name}="{_escaped(value)}"' for name, value in answer.items()]
    return "Digest " + ", ".join([*quoted, *(f"{name}={value}" for name, value in plain.items())])


def _fields(challenge: str) -> dict[str, str]:
    parts = urllib.request.parse_http_list(challenge.partition(" ")[2])
    named = (part.partition("=") for part in parts if "=" in part)
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in named}


def _hash(challenge: str) -> str:
    """What hashlib calls the challenge's algorithm; empty if it is unknown."""
    name = _fields(challenge).get("algorithm", "md5").lower().removesuffix("-sess")
    return _HASHES.get(name, "")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
