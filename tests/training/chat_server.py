"""A real HTTP server that speaks OpenAI's chat and batch protocol and writes captions."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], Any]
"""Status, headers, and a body: JSON, or text as it is. Status 0 hangs up instead."""


def asked_noun(body: dict[str, Any]) -> str:
    return re.findall(r'"([^"]+)"', body["messages"][-1]["content"])[0]


def good_captions(body: dict[str, Any], call: int) -> str:
    noun = asked_noun(body)
    return "\n".join(f"{n}. Picture {call} by {n} shows {noun} in a yard." for n in range(1, 11))


def completion(text: str | None, model: str = "writer") -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text, "refusal": None},
            }
        ],
        "usage": {"prompt_tokens": 150, "completion_tokens": 120, "total_tokens": 270},
    }


class ChatServer:
    """Records what it is asked; `reply` can be replaced to misbehave."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.most_at_once = 0
        self.busy = 0
        self.lock = threading.Lock()
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.reply: Callable[[dict[str, Any], int], Reply] = lambda body, call: (
            200,
            {},
            completion(good_captions(body, call)),
        )
        self.url = ""

    def chat(self, body: dict[str, Any]) -> Reply:
        with self.lock:
            self.bodies.append(body)
            call = len(self.bodies)
            self.busy += 1
            self.most_at_once = max(self.most_at_once, self.busy)
        try:
            return self.reply(body, call)
        finally:
            with self.lock:
                self.busy -= 1

    def upload(self, form: bytes) -> Reply:
        content = form.split(b"\r\n\r\n")
        jsonl = next(part.split(b"\r\n--")[0] for part in content if part.startswith(b'{"custom'))
        name = f"file-{len(self.files)}"
        self.files[name] = jsonl
        return 200, {}, self._file(name)

    def run_batch(self, body: dict[str, Any]) -> Reply:
        """All at once, but the batch is only told as completed when it is asked after."""
        source = body["input_file_id"]
        lines = []
        for line in self.files[source].splitlines():
            asked = json.loads(line)
            status, _, answer = self.chat(asked["body"])
            lines.append(
                {
                    "id": "line",
                    "custom_id": asked["custom_id"],
                    "response": {"status_code": status, "request_id": "r", "body": answer},
                    "error": None,
                }
            )
        name, output = f"batch-{len(self.batches)}", f"file-{len(self.files)}"
        self.files[output] = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": source,
            "completion_window": "24h",
            "status": "completed",
            "created_at": 1,
            "in_progress_at": 2,
            "completed_at": 3,
            "output_file_id": output,
            "metadata": body.get("metadata"),
            "request_counts": {"total": len(lines), "completed": len(lines), "failed": 0},
        }
        return 200, {}, self.batches[name] | {"status": "in_progress", "output_file_id": None}

    def get(self, path: str) -> Reply:
        kind, _, rest = path.removeprefix("/v1/").partition("/")
        if kind == "files" and rest.endswith("/content"):
            return 200, {}, self.files[rest.removesuffix("/content")].decode()
        if kind == "files":
            return 200, {}, self._file(rest)
        if rest:
            return 200, {}, self.batches[rest]
        listed = [*self.batches.values()]
        return 200, {}, {"object": "list", "data": listed, "has_more": False}

    def delete(self, path: str) -> Reply:
        name = path.rsplit("/", 1)[1]
        self.files.pop(name, None)
        return 200, {}, {"id": name, "object": "file", "deleted": True}

    def _file(self, name: str) -> dict[str, Any]:
        return {
            "id": name,
            "object": "file",
            "bytes": len(self.files[name]),
            "created_at": 1,
            "filename": f"{name}.jsonl",
            "purpose": "batch",
            "status": "processed",
        }


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, speaker: ChatServer) -> None:
        self.speaker = speaker
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    @property
    def speaker(self) -> ChatServer:
        assert isinstance(self.server, _Http)
        return self.server.speaker

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of tests quiet."""

    def do_POST(self) -> None:
        self.speaker.keys.add(self.headers["authorization"])
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/files":
            self._send(*self.speaker.upload(body))
        elif self.path == "/v1/batches":
            self._send(*self.speaker.run_batch(json.loads(body)))
        elif self.path == "/v1/chat/completions":
            self._send(*self.speaker.chat(json.loads(body)))
        else:
            self._send(404, {}, {"error": {"message": f"nothing at {self.path}"}})

    def do_GET(self) -> None:
        self._send(*self.speaker.get(self.path.split("?")[0]))

    def do_DELETE(self) -> None:
        self._send(*self.speaker.delete(self.path))

    def _send(self, status: int, headers: dict[str, str], body: object) -> None:
        if not status:
            self.close_connection = True
            return
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "text/plain" if isinstance(body, str) else "application/json"
        self.send_response(status)
        for name, value in ({"content-type": kind} | headers).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    speaker = ChatServer()
    with _Http(speaker) as http:
        speaker.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield speaker
        finally:
            http.shutdown()
            thread.join()
