"""A command that is run for each state of an event: what it is given, and how it may fail."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import UsageError
from app.events.outbox import Message
from app.sinks.base import RefusedError, SinkError
from app.sinks.build import parse_sink
from app.sinks.command import MOST_RUNS, CommandConfig, CommandSink
from tests.app.events.findings import a_finding

EVENT = a_finding(7).event
MESSAGE = Message(3, {"event": "opened", **EVENT.as_json()})


def sink(folder: Path, *words: str, limit_s: float = 60.0) -> CommandSink:
    return CommandSink(CommandConfig(words=words, limit_s=limit_s), folder)


def test_it_is_given_the_event_on_stdin_and_in_its_environment(tmp_path: Path):
    out = tmp_path / "it's out"
    out.mkdir()
    kept = tmp_path / "kept"
    script = f"cat > {kept}.json; env | grep ^NOMALY_ > {kept}.env; echo shown"
    sink(out, "sh", "-c", script).send(MESSAGE)
    assert json.loads(Path(f"{kept}.json").read_text()) == {"number": 3, **MESSAGE.body}
    given = dict(line.split("=", 1) for line in Path(f"{kept}.env").read_text().splitlines())
    assert given == {
        "NOMALY_EVENT": "opened",
        "NOMALY_RINGS": "0",
        "NOMALY_HEADLINE": EVENT.headline,
        "NOMALY_NOUN": "cat",
        "NOMALY_P": "0.5",
        "NOMALY_SURE": str(int(EVENT.sure)),
        "NOMALY_KIND": "object",
        "NOMALY_CAMERA": "hall",
        "NOMALY_ID": EVENT.id,
        "NOMALY_NUMBER": "3",
        "NOMALY_OUT": str(out),
        "NOMALY_PICTURE": f"{out}/snapshots/{EVENT.id}.jpg",
        "NOMALY_CROP": f"{out}/crops/{EVENT.id}.jpg",
    }


def test_no_shell_reads_it_unless_it_is_one(tmp_path: Path):
    canary = tmp_path / "canary"
    config = CommandConfig.from_text(f"printf '%s' '; touch {canary}' $HOME")
    assert config.words == ("printf", "%s", f"; touch {canary}", "$HOME")
    CommandSink(config, tmp_path).send(MESSAGE)
    assert not canary.exists()
    CommandSink(CommandConfig.from_text(f'sh -c "touch {canary}"'), tmp_path).send(MESSAGE)
    assert canary.exists()


def test_a_command_that_fails_is_run_a_few_times_and_then_given_up(tmp_path: Path):
    failing = sink(tmp_path, "sh", "-c", "exit 3")
    for attempts in range(MOST_RUNS - 1):
        with pytest.raises(SinkError, match=r"^sh: failed \(exit code 3\)$") as raised:
            failing.send(replace(MESSAGE, attempts=attempts))
        assert not isinstance(raised.value, RefusedError)
    with pytest.raises(RefusedError, match=rf"exit code 3\), 3 times for {EVENT.id}"):
        failing.send(replace(MESSAGE, attempts=MOST_RUNS - 1))


def test_one_that_is_not_there_is_tried_for_ever(tmp_path: Path):
    with pytest.raises(SinkError, match=r"^/no/such/thing: cannot be run: No such file") as raised:
        sink(tmp_path, "/no/such/thing").send(replace(MESSAGE, attempts=99))
    assert not isinstance(raised.value, RefusedError)


def test_one_that_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path):
    child = tmp_path / "child"
    script = f"sleep 600 & echo $! > {child}; wait"
    with pytest.raises(SinkError, match="was not done within 1 s, and was killed"):
        sink(tmp_path, "sh", "-c", script, limit_s=1.0).send(MESSAGE)
    pid = int(child.read_text())
    until = time.monotonic() + 60
    while is_running(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_one_that_reads_nothing_or_ends_by_a_signal_is_told(tmp_path: Path):
    long = Message(4, {**MESSAGE.body, "noun": "x" * (1 << 20)})
    # Too long for its environment, and more than the pipe holds.
    with pytest.raises(SinkError, match="true: cannot be run: Argument list too long"):
        sink(tmp_path, "true").send(long)
    sink(tmp_path, "true").send(replace(MESSAGE, body={**MESSAGE.body, "more": "x" * (1 << 20)}))
    with pytest.raises(SinkError, match=r"failed \(signal 9\)"):
        sink(tmp_path, "sh", "-c", "kill -9 $$").send(MESSAGE)


def test_its_name_in_the_outbox_holds_no_secret_and_is_the_same_again():
    words = ("/usr/bin/curl", "https://hook/?token=canary-12")
    key = CommandConfig(words=words).key
    assert key.startswith("command:curl-")
    assert "canary" not in key
    assert key == CommandConfig(words=words).key != CommandConfig(words=(words[0], "other")).key


@pytest.mark.parametrize("text", ["", "  ", "sh -c 'no end"])
def test_what_is_no_command_is_refused(text: str):
    with pytest.raises(UsageError, match="write for example"):
        parse_sink(f"command:{text}")
