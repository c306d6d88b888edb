"""What every sink must do; the list is that of the union, so none can be forgotten."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import UsageError
from app.events.outbox import Message
from app.sinks.base import SinkError
from app.sinks.build import build_sink, parse_sink, parse_sinks, sink_kinds
from tests.app.sinks.peers import PEERS, Peer


def a_message(number: int) -> Message:
    return Message(number, {"event": "opened", "id": f"{number:014x}-abc", "noun": "Käse"})


def as_arrived(*numbers: int) -> list[dict]:
    return [{"number": number, **a_message(number).body} for number in numbers]


@pytest.fixture(params=sink_kinds())
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    peer = PEERS[request.param](tmp_path)
    yield peer
    peer.close()


def test_messages_arrive_in_order_and_at_once(peer: Peer, tmp_path: Path):
    sink = build_sink(peer.config, tmp_path)
    for number in (1, 2, 5):
        sink.send(a_message(number))
        assert peer.arrived()[-1:] == as_arrived(number)
    sink.close()
    sink.close()
    assert peer.arrived() == as_arrived(1, 2, 5)


def test_who_is_away_is_said_and_reached_once_back(peer: Peer, tmp_path: Path):
    peer.go_away()
    sink = build_sink(peer.config, tmp_path)
    with pytest.raises(SinkError, match="cannot be"):
        sink.send(a_message(1))
    peer.come_back()
    sink.send(a_message(1))
    peer.go_away()
    with pytest.raises(SinkError, match="cannot be"):
        sink.send(a_message(2))
    peer.come_back()
    sink.send(a_message(2))
    sink.close()
    assert peer.arrived() == as_arrived(1, 2)


def test_a_later_process_goes_on(peer: Peer, tmp_path: Path):
    for number in (1, 2):
        sink = build_sink(peer.config, tmp_path)
        sink.send(a_message(number))
        sink.close()
    assert peer.arrived() == as_arrived(1, 2)


@pytest.mark.parametrize("kind", sink_kinds())
def test_the_example_can_be_written_on_the_command_line(kind: str):
    example = sink_kinds()[kind].example
    config = parse_sink(f"{kind}:{example}")
    assert config.kind == kind
    assert config.key == parse_sink(f"{kind}:{example}").key
    build_sink(config, Path()).close()
    with pytest.raises(ValueError, match="frozen"):
        setattr(config, "kind", "other")  # noqa: B010 - a type error if written plainly
    with pytest.raises(UsageError, match="named twice"):
        parse_sinks([f"{kind}:{example}"] * 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("smoke:signals", "there is no sink 'smoke'; write for example jsonl:events.jsonl"),
        ("jsonl", "--sink jsonl: nothing is no file"),
        ("jsonl:/", "/ is no file; write for example jsonl:events.jsonl"),
    ],
)
def test_senseless_sinks_are_refused(text: str, why: str):
    with pytest.raises(UsageError, match=why):
        parse_sink(text)
