"""A real HTTP server that speaks chat completions, for tests of what asks language models."""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

from PIL import Image

COLOURS = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}
"""A picture of one colour is recognised by whoever really decodes it."""


@dataclass(frozen=True)
class Asked:
    """A request as the server understood it."""

    body: dict[str, Any]
    authorization: str
    nouns: list[str]
    colour: str
    size: tuple[int, int]
    """Of the image, width and height."""


@dataclass(frozen=True)
class Reply:
    """What the server answers."""

    content: Any = ""
    """The model's text; anything but a text is made JSON."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: str = ""
    """The whole answer in place of a chat completion."""


type Behaviour = Callable[[Asked, int], Reply]
"""Takes a request and its number, from 0."""


@dataclass
class ChatServer:
    """Answers requests as its behaviour says, and remembers them."""

    behave: Behaviour
    asked: list[Asked] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def answer(self, body: dict[str, Any], authorization: str) -> Reply:
        image, text = body["messages"][-1]["content"]
        data = image["image_url"]["url"].removeprefix("data:image/jpeg;base64,")
        picture = Image.open(BytesIO(base64.b64decode(data, validate=True)))
        pixel = picture.getpixel((picture.width // 2, picture.height // 2))
        assert picture.format == "JPEG"
        assert isinstance(pixel, tuple)
        nouns = re.findall(r"^\d+\. (.+)$", text["text"], flags=re.MULTILINE)
        asked = Asked(body, authorization, nouns, nearest(pixel), picture.size)
        with self.lock:
            number = len(self.asked)
            self.asked.append(asked)
        return self.behave(asked, number)


def nearest(pixel: Sequence[float]) -> str:
    """The colour that a pixel is of."""
    return min(
        COLOURS,
        key=lambda name: sum((a - b) ** 2 for a, b in zip(pixel, COLOURS[name], strict=True)),
    )


def verdicts(asked: Asked, judge: Callable[[str], str]) -> Reply:
    """A well-formed answer."""
    rows = [
        {"number": number, "noun": noun, "verdict": judge(noun)}
        for number, noun in enumerate(asked.nouns, start=1)
    ]
    return Reply({"shows": f"something {asked.colour}", "answers": rows})


@contextmanager
def chat_server(behave: Behaviour) -> Iterator[ChatServer]:
    """Serve on a free port of this machine."""
    server = ChatServer(behave)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = server.answer(body, self.headers.get("Authorization", ""))
            if reply.status == 0:
                self.close_connection = True
                return
            content = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
            said = (
                completion(content)
                if reply.status == 200
                else {"error": {"message": content, "type": "test"}}
            )
            data = (reply.raw or json.dumps(said)).encode()
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was killed is no fault of the server."""
            del request, client_address

    http = Server(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def completion(content: str) -> dict[str, Any]:
    """A chat completion with that content; every answer counts 100 tokens read and 10 written."""
    return {
        "id": "test",
        "object": "chat.completion",
        "created": 0,
        "model": "test",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": content},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
    }
