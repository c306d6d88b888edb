"""Puts the files of gpt_batch_api right after a kill, so that its next start finds them in order.

The library saves one file at a time. Killed in between, it refuses to start again, or forgets a
batch that it has just sent (scenarios_spec §2.4). Only what is at the provider matters here: a
request that was not sent yet is dropped, because whoever asks makes it again.
"""

import importlib.metadata
import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import filelock
import openai
from openai import OpenAI

from novic.extras import how_to_install
from novic.whole_files import write_whole
from scenarios.llm.transport import ChatError

LIBRARY_VERSION = "1.0.5"
"""Of gpt_batch_api; its files are private to it, so no other version will do."""
PREFIX = "ratings"
"""Begins the names of all its files, whatever is asked: so what earlier versions left is found."""
LEFTOVERS = (".tmp.", ".bak.", ".del.")
"""In the names of files that are only there while the library saves."""
FINISHED = {"completed", "failed", "expired", "cancelled"}
"""What a batch is once its results are there."""
ENDED = FINISHED | {"cancelling"}
"""What a batch is once nothing more is worked out."""

type Json = dict[str, Any]


def check_version(instead: str) -> None:
    """See that the library is there and the one that this program knows.

    Args:
        instead: How to do without it, for messages.

    Raises:
        ChatError: If not.
    """
    try:
        found = importlib.metadata.version("gpt_batch_api")
    except importlib.metadata.PackageNotFoundError:
        found = "not installed"
    if found != LIBRARY_VERSION:
        raise ChatError(
            f"the batch service needs gpt_batch_api {LIBRARY_VERSION}, which is {found} here; "
            f"run: {how_to_install('gpt_batch_api')}, or {instead}"
        )


def batch_name(folder: Path, local_jsonl: str) -> dict[str, str]:
    """What a batch is called at the provider, so that its sender knows it again.

    Args:
        folder: Of the library's files.
        local_jsonl: The file with the batch's requests.
    """
    return {"sender": _sender(folder), "file": Path(local_jsonl).name}


def repair(folder: Path, client: OpenAI, instead: str = "ask without it") -> None:
    """Bring the library's files into an order in which it starts.

    Args:
        folder: Of the library's files; made if missing.
        client: Asked only if a batch may have been sent without a note of it.
        instead: How to do without the library, for messages.

    Raises:
        ChatError: If another process works in the folder, or it cannot be read or written.
        openai.OpenAIError: If the provider cannot be asked.
    """
    check_version(instead)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f"{PREFIX}.lock", timeout=0):
            _repair(folder, client)
    except filelock.Timeout as error:
        raise ChatError(
            f"{folder}: another process is at work there; wait for it or stop it"
        ) from error
    except OSError as error:
        raise ChatError(f"{folder}: {error.strerror or error}; nothing was sent") from error


def _repair(folder: Path, client: OpenAI) -> None:
    _sweep(folder)
    # It tells nothing that is not in the state, too.
    _remove([folder / f"{PREFIX}_task.json"])
    state_file = folder / f"{PREFIX}_state.json"
    if not state_file.exists():
        # Nothing is ever sent before the state is on disk.
        _remove([folder / f"{PREFIX}_queue.jsonl", *folder.glob(f"{PREFIX}_batch*.jsonl")])
        return
    state = _read_state(state_file)
    if state is None:
        _start_afresh(folder, client)
        return
    before = json.dumps(state)
    _settle_batches(folder, state, client)
    _forget_history(folder, state, client)
    _forget_queue(folder, state)
    if json.dumps(state) != before:
        write_whole(state_file, json.dumps(state, ensure_ascii=False, indent=2).encode())
    known = {Path(batch["local_jsonl"]) for batch in state["batches"]}
    _remove(set(folder.glob(f"{PREFIX}_batch*.jsonl")) - known)


def _sweep(folder: Path) -> None:
    """Delete what the library left behind while it saved; all it replaces is still whole."""
    files = folder.glob(f"{PREFIX}*")
    _remove([path for path in files if any(mark in path.name for mark in LEFTOVERS)])


def _settle_batches(folder: Path, state: Json, client: OpenAI) -> None:
    """Keep batches that are at the provider; drop the others, but find those sent unnoticed."""
    kept = []
    unsent = [batch for batch in state["batches"] if batch["remote"] is None]
    remote = _ours(folder, client) if unsent else {}
    for batch in state["batches"]:
        # The folder may have been moved.
        batch["local_jsonl"] = str(folder.absolute() / Path(batch["local_jsonl"]).name)
        sent = remote.get(Path(batch["local_jsonl"]).name)
        if batch["remote"] is None and sent:
            _adopt(state, batch, sent)
        if batch["remote"] is not None and _has_requests(batch, client):
            # The library only ever looks for a change, and would wait for one for ever.
            batch["remote"]["finished"] = batch["remote"]["batch"]["status"] in FINISHED
            kept.append(batch)
    state["batches"] = kept


def _adopt(state: Json, batch: Json, sent: Json) -> None:
    file = {
        "id": sent["input_file_id"],
        "bytes": batch["local_jsonl_size"],
        "created_at": sent["created_at"],
        "filename": Path(batch["local_jsonl"]).name,
        "object": "file",
        "purpose": "batch",
        "status": "processed",
    }
    batch["remote"] = {"file": file, "batch": sent}
    pushed, cost = state["task_push_stats"], batch["tokens_cost"]
    pushed["total_requests"] += batch["num_requests"]
    for name in ("input_tokens", "output_tokens", "max_output_tokens"):
        pushed["total_tokens_cost"][name] += cost[name]


def _has_requests(batch: Json, client: OpenAI) -> bool:
    """Whether the requests of a batch are at hand, if need be from the provider."""
    local = Path(batch["local_jsonl"])
    if local.exists() and local.stat().st_size == batch["local_jsonl_size"]:
        return True
    try:
        write_whole(local, client.files.content(batch["remote"]["file"]["id"]).content)
    except openai.NotFoundError:
        return False
    return local.stat().st_size == batch["local_jsonl_size"]


def _forget_history(folder: Path, state: Json, client: OpenAI) -> None:
    """Finish deleting what belonged to batches that were taken over.

    The library keeps a record of every batch for ever, and deletes its local file last of all.
    """
    for batch in state["batch_history"]:
        local = folder / Path(batch["local_jsonl"]).name
        if not local.exists():
            continue
        remote = batch["remote"]
        for file in (
            remote["batch"].get("error_file_id"),
            remote["batch"].get("output_file_id"),
            remote["file"]["id"],
        ):
            if file:
                _delete_remote(client, file)
        _remove([local])
    state["batch_history"] = []


def _forget_queue(folder: Path, state: Json) -> None:
    """Drop requests that wait to be sent, in both places that list them."""
    queue = folder / f"{PREFIX}_queue.jsonl"
    if state["queue"]["request_id_meta"] or not queue.exists() or queue.stat().st_size:
        state["queue"]["request_id_meta"] = {}
        write_whole(queue, b"")


def _start_afresh(folder: Path, client: OpenAI) -> None:
    """Give up a state that cannot be read, and see that nothing more is paid for its batches."""
    for batch in _ours(folder, client).values():
        if batch["status"] not in ENDED:
            client.batches.cancel(batch["id"])
    (folder / f"{PREFIX}_state.json").replace(folder / f"{PREFIX}_state.damaged")
    _remove([folder / f"{PREFIX}_queue.jsonl"])
    _remove(folder.glob(f"{PREFIX}_batch*.jsonl"))


def _ours(folder: Path, client: OpenAI) -> dict[str, Json]:
    """Batches at the provider that were sent from this folder, by the name of their file."""
    sender = _sender(folder)
    found: dict[str, Json] = {}
    for batch in client.batches.list(limit=100):
        told = batch.metadata or {}
        if told.get("sender") == sender and told.get("file"):
            found[told["file"]] = batch.model_dump(mode="json")
    return found


def _sender(folder: Path) -> str:
    """What this folder calls itself; says nothing about machine or user."""
    path = folder / f"{PREFIX}.sender"
    if not path.exists() or not path.read_text(encoding="ascii"):
        write_whole(path, uuid.uuid4().hex.encode())
    return path.read_text(encoding="ascii")


def _delete_remote(client: OpenAI, file: str) -> None:
    try:
        client.files.delete(file)
    except openai.NotFoundError:
        return


def _read_state(path: Path) -> Json | None:
    """The library's state; None if it is no state, as after a loss of power."""
    try:
        state = json.loads(path.read_bytes())
        # All that is read below.
        _ = state["queue"]["request_id_meta"], state["task_push_stats"]["total_tokens_cost"]
        _ = [batch["remote"] for batch in (*state["batches"], *state["batch_history"])]
    except (ValueError, TypeError, KeyError):
        return None
    return state


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
