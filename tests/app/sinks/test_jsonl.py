"""Lines that kills and full disks leave whole."""

import itertools
import json
from pathlib import Path

import pytest

from app.events.outbox import Message
from app.sinks.base import SinkError
from app.sinks.jsonl import JsonlConfig, JsonlSink
from tests.app.sinks.test_contract import a_message, as_arrived


def test_a_line_that_a_kill_tore_is_cut_off(tmp_path: Path):
    path = tmp_path / "events.jsonl"
    sink = JsonlSink(JsonlConfig(path=path))
    sink.send(a_message(1))
    with path.open("a") as file:
        file.write('{"number": 2, "event": "op')
    sink.send(a_message(2))
    assert [json.loads(line) for line in path.read_text().splitlines()] == as_arrived(1, 2)


def test_a_full_disk_is_said_and_leaves_whole_lines(small_disk: Path):
    path = small_disk / "events.jsonl"
    sink = JsonlSink(JsonlConfig(path=path))
    sink.send(a_message(1))
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * (2 << 20))
    numbers = itertools.count(2)
    with pytest.raises(SinkError, match=r"events\.jsonl: cannot be written: No space left"):
        all(sink.send(a_message(number)) is None for number in numbers)
    number = next(numbers) - 1
    filler.unlink()
    sink.send(a_message(number))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["number"] for line in lines] == [*range(1, number + 1)]


def test_what_a_kill_left_undelivered_on_paper_alone_is_not_written_twice(tmp_path: Path):
    config = JsonlConfig(path=tmp_path / "events.jsonl")
    first, second = (Message(n, {"id": f"id{n}", "event": "opened"}) for n in (1, 2))
    JsonlSink(config).send(first)
    again = JsonlSink(config)
    again.send(first)
    again.send(second)
    again.send(Message(1, {"id": "of another camera", "event": "opened"}))
    lines = [json.loads(line) for line in config.path.read_text().splitlines()]
    assert [line["id"] for line in lines] == ["id1", "id2", "of another camera"]
