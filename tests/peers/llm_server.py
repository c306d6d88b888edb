"""A real HTTP server that speaks OpenAI's protocol and rates nouns: chats, files, batches, faults.

In a test, `with llm_server(digits) as server:`; `server.url` is the base address, up to /v1. Faults
are switched by `server.faults = [Fault("rate_limit", every=5)]`. What was paid for survives the
client's death. Other processes read it from `GET /stat` and switch faults by `POST /faults` with a
list of such objects. `python -m tests.peers.llm_server` serves in a process of its own. Servers
that say something else override `say`.
"""

import base64
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.peers.llm_batches import Batches, Line, answered, expired, failed
from tests.peers.llm_model import SPOILED, Fault, completion, error, key_of, lines_of

type Said = tuple[int, Mapping[str, str], Any]
"""Status, headers, and a body: JSON, or text as it is."""

HANG_UP = 0
"""In place of a status: no answer at all."""
CUT = -1
"""In place of a status: half of an answer."""

ERRORS: dict[str, tuple[int, dict[str, Any]]] = {
    "rate_limit": (429, error("Rate limit reached", "requests", "rate_limit_exceeded")),
    "error_500": (500, error("The server had an error", "server_error")),
    "bad_request": (400, error("Invalid request", "invalid_request_error")),
    "quota": (429, error("You exceeded your quota", "insufficient_quota", "insufficient_quota")),
    "drop": (HANG_UP, {}),
}


@dataclass(frozen=True)
class Stat:
    """What a server did so far."""

    calls: int
    """Chat requests that came, answered or not; lines of batches are none."""
    paid: dict[str, int]
    """How often a good answer to a request was worked out, by `key_of` its body."""
    spoiled: dict[str, int]
    """The same for answers with a fault."""
    cut: dict[str, int]
    """The same for answers that broke off on their way: they cannot but be asked for again."""
    nouns: dict[str, int]
    """How often each noun was rated well."""
    batches: int
    files: int
    """Uploaded or made, and not deleted."""
    most_at_once: int


@dataclass
class LlmServer:
    """Answers, counts and misbehaves as told."""

    digits: Mapping[str, int] = field(default_factory=dict)
    """By noun; other nouns get one drawn by their name."""
    faults: Sequence[Fault] = ()
    key: str | None = None
    """The only one accepted; None accepts all."""
    models: frozenset[str] | None = None
    """Those known; None knows all."""
    without_batches: bool = False
    """Answers 404 to files and batches, as local servers do."""
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """Of all chat requests and batch lines."""
    keys: set[str] = field(default_factory=set)
    """Authorization headers seen."""
    repeats: int | None = None
    """Status with which every request is refused, its login in the words and a bell behind it."""
    connections: int = 0
    """Open now."""

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.batches = Batches(self._line, self._batch_fate)
        self._calls = self._busy = self._most_at_once = 0
        self._paid: Counter[str] = Counter()
        self._spoiled: Counter[str] = Counter()
        self._cut: Counter[str] = Counter()
        self._nouns: Counter[str] = Counter()
        self._seen: Counter[object] = Counter()
        self._made: Counter[object] = Counter()

    def stat(self) -> Stat:
        """What was done so far."""
        with self.lock:
            return Stat(
                self._calls,
                dict(self._paid),
                dict(self._spoiled),
                dict(self._cut),
                dict(self._nouns),
                len(self.batches.batches),
                len(self.batches.files),
                self._most_at_once,
            )

    def chat(self, body: dict[str, Any]) -> Said:
        """What a chat request is answered."""
        with self.lock:
            self._calls += 1
            self.bodies.append(body)
            self._busy += 1
            self._most_at_once = max(self._most_at_once, self._busy)
            struck = [fault for fault in self.faults if self._strikes(fault, body)]
        try:
            time.sleep(sum(fault.seconds for fault in struck if fault.kind == "delay"))
            kinds = [fault for fault in struck if fault.kind != "delay"]
            first = kinds[0] if kinds else Fault("delay")
            status, headers, said = self.say(body, first.kind)
            limited = {"Retry-After": str(first.seconds)} if first.kind == "rate_limit" else {}
            return status, {**headers, **limited}, said
        finally:
            with self.lock:
                self._busy -= 1

    def say(self, body: dict[str, Any], kind: str) -> Said:
        """The answer to a chat request or batch line, with a fault if one strikes it."""
        if kind in ERRORS:
            status, said = ERRORS[kind]
            return status, {}, said
        if kind == "no_schema" and "json_schema" in json.dumps(body.get("response_format", "")):
            said = "response_format of type json_schema is not supported by this model"
            return 400, {}, error(said, "invalid_request_error")
        if self.models is not None and body.get("model") not in self.models:
            said = f"The model {body.get('model')} does not exist"
            return 404, {}, error(said, "invalid_request_error", "model_not_found")
        return CUT if kind == "cut_body" else 200, {}, self._pay(body, kind)

    def _pay(self, body: dict[str, Any], kind: str) -> dict[str, Any]:
        with self.lock:
            if kind == "cut_body":
                self._cut[key_of(body)] += 1
            elif kind in SPOILED:
                self._spoiled[key_of(body)] += 1
            else:
                self._paid[key_of(body)] += 1
                self._nouns.update(lines_of(body).values())
        return completion(body, self.digits, kind)

    def _strikes(self, fault: Fault, body: object) -> bool:
        """Whether it is this request's turn; asked once for every request and fault."""
        name = key_of(body) if isinstance(body, dict) else "all"
        counted = (fault, name if fault.by == "body" else "all")
        self._seen[fault] += 1
        if fault.by == "body":
            turn = int(name, 16) % fault.every == 0
        else:
            turn = (self._seen[fault] - fault.after) % fault.every == 0
        spared = self._seen[fault] <= fault.after
        spent = fault.times is not None and self._made[counted] >= fault.times
        if not turn or spared or spent:
            return False
        self._made[counted] += 1
        return True

    def _struck(self, kinds: Sequence[str], body: object) -> str:
        for fault in self.faults:
            if fault.kind in kinds and self._strikes(fault, body):
                return fault.kind
        return ""

    def _batch_fate(self) -> str:
        return self._struck(["batch_failed", "batch_expired"], None)

    def _line(self, asked: Line) -> Line | None:
        body = asked["body"]
        self.bodies.append(body)
        lines = ["expired", "500", "400", "code", "missing", "unknown"]
        kind = self._struck([*(f"line_{line}" for line in lines), *SPOILED, "no_schema"], body)
        match kind:
            case "line_expired":
                return expired(asked)
            case "line_500":
                return answered(asked, *ERRORS["error_500"])
            case "line_400":
                return answered(asked, *ERRORS["bad_request"])
            case "line_code":
                return failed(asked, "server_overloaded", "The request was given up.")
            case "line_missing":
                return None
            case "line_unknown":
                stray = asked | {"custom_id": f"{asked['custom_id']}9999"}
                return answered(stray, 200, self._pay(body, "mismatched"))
        status, _, said = self.say(body, kind)
        return answered(asked, 200 if status == CUT else status, said)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def llm(self) -> LlmServer:
        assert isinstance(self.server, _Http)
        return self.server.llm

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of tests quiet."""

    def do_GET(self) -> None:
        self._answer("GET", b"")

    def do_DELETE(self) -> None:
        self._answer("DELETE", b"")

    def do_POST(self) -> None:
        self._answer("POST", self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, method: str, data: bytes) -> None:
        url = urlsplit(self.path)
        way = url.path.removeprefix("/v1").strip("/").split("/")
        if way == ["stat"]:
            return self._send(200, {}, asdict(self.llm.stat()))
        if way == ["faults"]:
            self.llm.faults = [Fault(**fault) for fault in json.loads(data)]
            return self._send(200, {}, {})
        key = self.headers.get("Authorization", "")
        self.llm.keys.add(key)
        if self.llm.repeats is not None:
            said = error(f"no: \x1b[31m{key} {decoded(key)}\a", "invalid_request_error")
            return self._send(self.llm.repeats, {}, said)
        if self.llm.key is not None and key != f"Bearer {self.llm.key}":
            said = error("Incorrect API key provided", "invalid_request_error", "invalid_api_key")
            return self._send(401, {}, said)
        if (method, way) == ("POST", ["chat", "completions"]):
            return self._send(*self.llm.chat(json.loads(data)))
        try:
            return self._send(200, {}, self._found(method, way, parse_qs(url.query), data))
        except (KeyError, ValueError):
            said = error(f"nothing at {method} {self.path}", "invalid_request_error")
            return self._send(404, {}, said)

    def _found(
        self, method: str, way: list[str], query: dict[str, list[str]], data: bytes
    ) -> object:
        """Of files and batches; KeyError if there is nothing."""
        llm, service = self.llm, self.llm.batches
        if llm.without_batches:
            raise KeyError
        with llm.lock:
            if way[0] == "files":
                return self._files(service, method, way[1:], data)
            return self._batches(service, method, way, query, data)

    def _files(self, service: Batches, method: str, way: list[str], data: bytes) -> object:
        match method, *way:
            case ["POST"]:
                return service.store(*uploaded(self.headers["Content-Type"], data))
            case "GET", file, "content":
                return service.files[file][1].decode()
            case "GET", file:
                return service.file(file)
            case "DELETE", file:
                del service.files[file]
                return {"id": file, "object": "file", "deleted": True}
        raise KeyError

    def _batches(
        self,
        service: Batches,
        method: str,
        way: list[str],
        query: dict[str, list[str]],
        data: bytes,
    ) -> object:
        match method, *way:
            case "POST", "batches":
                return service.create(json.loads(data))
            case "GET", "batches":
                after, limit = query.get("after", [""])[0], int(query.get("limit", ["20"])[0])
                return service.listed(after, limit)
            case "GET", "batches", batch:
                return service.batch(batch)
            case "POST", "batches", batch, "cancel":
                return service.cancel(batch)
        raise KeyError

    def _send(self, status: int, headers: Mapping[str, str], body: object) -> None:
        if status == HANG_UP:
            self.close_connection = True
            return
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        kind = "text/plain" if isinstance(body, str) else "application/json"
        self.send_response(200 if status == CUT else status)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if status == CUT:
            data, self.close_connection = data[: len(data) // 2], True
        self.wfile.write(data)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, llm: LlmServer, port: int) -> None:
        self.llm = llm
        super().__init__(("127.0.0.1", port), _Handler)
        llm.url = f"http://127.0.0.1:{self.server_address[1]}/v1"

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Answer on one connection until it is closed."""
        with self.llm.lock:
            self.llm.connections += 1
        try:
            super().process_request_thread(request, client_address)  # pyright: ignore[reportArgumentType]
        finally:
            with self.llm.lock:
                self.llm.connections -= 1

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no fault of the server; others are."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # pyright: ignore[reportArgumentType]


def decoded(login: str) -> str:
    """User and password of an Authorization header; empty if it holds a key."""
    kind, _, word = login.partition(" ")
    return base64.b64decode(word).decode() if kind == "Basic" else ""


def uploaded(content_type: str, data: bytes) -> tuple[str, bytes]:
    """Name and content of the file in a multipart form; KeyError if there is none."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    for part in BytesParser(policy=HTTP).parsebytes(head + data).iter_parts():  # pyright: ignore[reportAttributeAccessIssue]
        content = part.get_payload(decode=True)
        if (name := part.get_filename()) and isinstance(content, bytes):
            return name, content
    raise KeyError(content_type)


@contextmanager
def serving[Server: LlmServer](llm: Server, port: int = 0) -> Iterator[Server]:
    """Serve on a port of this machine, a free one by default, while the block runs."""
    with _Http(llm, port) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield llm
        finally:
            http.shutdown()
            thread.join()


def llm_server(
    digits: Mapping[str, int] | None = None, port: int = 0
) -> AbstractContextManager[LlmServer]:
    """Serve one that rates nouns, by the digits given."""
    return serving(LlmServer(digits or {}), port)


if __name__ == "__main__":
    with llm_server(port=int(sys.argv[1]) if sys.argv[1:] else 0) as started:
        sys.stdout.write(f"{started.url}\n")
        sys.stdout.flush()
        threading.Event().wait()
