"""Files and batches of a test server, as OpenAI's protocol has them."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

type Line = dict[str, Any]
"""Of an output or error file."""


@dataclass
class Batches:
    """Files uploaded, and batches that are worked on after a while.

    Args:
        work: Answers one input line, or says what is wrong with it; None leaves it out.
        fate: What becomes of a new batch: "batch_failed", "batch_expired" or "".
    """

    work: Callable[[Line], Line | None]
    fate: Callable[[], str]
    seconds: float = 0.0
    """From the creation of a batch to its end."""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Name and content by id."""
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    numbered: int = 0

    def store(self, name: str, content: bytes) -> dict[str, Any]:
        """Keep a file.

        Returns:
            What is told of it.
        """
        self.numbered += 1
        self.files[file := f"file-{self.numbered}"] = (name, content)
        return self.file(file)

    def file(self, file: str) -> dict[str, Any]:
        """What is told of a file; KeyError if there is none."""
        name, content = self.files[file]
        return {
            "id": file,
            "object": "file",
            "bytes": len(content),
            "created_at": 1,
            "filename": name,
            "purpose": "batch",
            "status": "processed",
        }

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Accept a batch; its end is known when it is asked after once its time has come."""
        total = len(self.files[body["input_file_id"]][1].splitlines())
        self.numbered += 1
        name = f"batch-{self.numbered}"
        self.due[name] = time.monotonic() + self.seconds
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "status": "in_progress",
            "created_at": 1,
            "in_progress_at": 2,
            "expires_at": 86_400,
            "metadata": body.get("metadata"),
            "request_counts": {"total": total, "completed": 0, "failed": 0},
        }
        return self.batches[name]

    def batch(self, name: str) -> dict[str, Any]:
        """How a batch stands; KeyError if there is none."""
        batch = self.batches[name]
        if batch["status"] == "in_progress" and time.monotonic() >= self.due[name]:
            self._end(batch)
        return batch

    def listed(self, after: str, limit: int) -> dict[str, Any]:
        """A page of all batches, the newest first."""
        names = [*reversed(self.batches)]
        start = names.index(after) + 1 if after in names else 0
        page = [self.batch(name) for name in names[start : start + limit]]
        return {"object": "list", "data": page, "has_more": start + limit < len(names)}

    def cancel(self, name: str) -> dict[str, Any]:
        """Stop a batch; nothing of it is worked on."""
        batch = self.batch(name)
        if batch["status"] == "in_progress":
            batch |= {"status": "cancelled", "cancelled_at": 3}
        return batch

    def _end(self, batch: dict[str, Any]) -> None:
        fate = self.fate()
        if fate == "batch_failed":
            fault = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}
            batch |= {"status": "failed", "failed_at": 3}
            batch["errors"] = {"object": "list", "data": [fault | {"line": None, "param": None}]}
            return
        asked = [json.loads(line) for line in self.files[batch["input_file_id"]][1].splitlines()]
        if fate == "batch_expired":
            done = [expired(line) for line in asked]
        else:
            done = [line for line in map(self.work, asked) if line]
        # A batch service promises no order.
        random.Random(batch["id"]).shuffle(done)  # noqa: S311 - no secret
        good = [line for line in done if _is_good(line)]
        bad = [line for line in done if not _is_good(line)]
        for key, lines in (("output_file_id", good), ("error_file_id", bad)):
            if lines:
                text = "".join(f"{json.dumps(line)}\n" for line in lines)
                batch[key] = self.store(f"{batch['id']}_{key}.jsonl", text.encode())["id"]
        counts = {"total": len(asked), "completed": len(good), "failed": len(bad)}
        status = "expired" if fate == "batch_expired" else "completed"
        batch |= {"status": status, f"{status}_at": 3, "request_counts": counts}


def answered(asked: Line, status: int, body: dict[str, Any]) -> Line:
    """A line with an HTTP answer."""
    response = {"status_code": status, "request_id": "req", "body": body}
    return {"id": "line", "custom_id": asked["custom_id"], "response": response, "error": None}


def failed(asked: Line, code: str, message: str) -> Line:
    """A line without an answer."""
    error = {"code": code, "message": message}
    return {"id": "line", "custom_id": asked["custom_id"], "response": None, "error": error}


def expired(asked: Line) -> Line:
    """A line whose time was over."""
    return failed(asked, "batch_expired", "This request could not be executed in time.")


def _is_good(line: Line) -> bool:
    return bool(line["response"]) and line["response"]["status_code"] == 200
