"""From the store's outbox to a real file, through faults and kills."""

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.events.store import Store
from app.sinks.command import CommandConfig
from app.sinks.feeder import Feeder, Patience, feeding
from app.sinks.jsonl import JsonlConfig
from tests.app.events.findings import a_finding, begin
from tests.app.sinks.peers import File, Peer

QUICK = Patience(first_s=0.01, longest_s=0.05, close_s=30)


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def save(folder: Path, file: Peer, *numbers: int) -> None:
    with Store(folder, sinks=[file.config.key]) as store:
        begin(store, *map(a_finding, numbers))


def ids(file: File) -> list[str]:
    return [row["id"] for row in file.arrived()]


def ids_of(*numbers: int) -> list[str]:
    return [a_finding(number).event.id for number in numbers]


def test_what_was_left_and_what_is_new_arrive_in_order(tmp_path: Path, file: File):
    save(tmp_path, file, 1, 2)
    feeder = Feeder(tmp_path, file.config, patience=QUICK)
    save(tmp_path, file, 3)
    feeder.wake()
    save(tmp_path, file, 4)
    feeder.close()
    assert ids(file) == ids_of(1, 2, 3, 4)
    assert file.arrived()[0] == {"number": 1, **a_finding(1).event.as_told()}
    with Store(tmp_path) as store:
        assert store.outbox.count(file.config.key) == 0


def test_a_sink_that_is_away_is_tried_again_and_said_once(tmp_path: Path, file: File):
    said: list[str] = []
    heard = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        heard.set()

    file.go_away()
    save(tmp_path, file, 1, 2)
    feeder = Feeder(tmp_path, file.config, say, QUICK)
    assert heard.wait(60)
    heard.clear()
    with Store(tmp_path) as store:
        while store.outbox.waiting(file.config.key, 1)[0].attempts < 3:
            time.sleep(0.01)
    file.come_back()
    assert heard.wait(60)
    feeder.close()
    assert ids(file) == ids_of(1, 2)
    assert len(said) == 2
    assert "cannot be written: Is a directory; it is tried again, and no event is lost" in said[0]
    assert said[1].endswith("works again")


def test_for_a_sink_that_is_away_for_long_the_newest_messages_wait_and_that_is_noted(
    tmp_path: Path, file: File
):
    said: list[str] = []
    file.go_away()
    save(tmp_path, file, *range(60))
    feeder = Feeder(tmp_path, file.config, said.append, replace(QUICK, most=40))
    with Store(tmp_path) as store:
        while store.outbox.count(file.config.key) > 40:
            time.sleep(0.01)
        while not store.notes(1):
            time.sleep(0.01)
        (note,) = [note.text for note in store.notes(1)]
        assert len(store.events(1)) == 60
    file.come_back()
    feeder.close()
    # A twentieth of what may wait went besides, so that not each new one costs an old one.
    assert ids(file) == ids_of(*range(22, 60))
    assert note in said
    assert note.startswith(f"{file.config.key}: 22 messages that it never took were dropped")


def test_what_cannot_be_delivered_waits_for_the_next_run(tmp_path: Path, file: File):
    said: list[str] = []
    file.go_away()
    with feeding(tmp_path, [file.config], said.append) as wake:
        save(tmp_path, file, 1)
        wake()
    assert said[-1].endswith(": 1 undelivered; the same command goes on with them")
    file.come_back()
    with feeding(tmp_path, [file.config], said.append):
        pass
    assert ids(file) == ids_of(1)


def test_sinks_that_hang_are_not_waited_for_when_there_is_no_time(tmp_path: Path):
    said: list[str] = []
    begun, answer = tmp_path / "begun", tmp_path / "answer"
    script = f"touch {begun}; while [ ! -e {answer} ]; do sleep .02; done"
    config = CommandConfig(words=("sh", "-c", script))
    with Store(tmp_path, sinks=[config.key]) as store:
        begin(store, a_finding(1))
    with feeding(tmp_path, [config], said.append, Patience(close_s=None), lambda: 0.0):
        while not begun.exists():
            time.sleep(0.01)
    assert said[-1].endswith(": 1 undelivered; the same command goes on with them")
    answer.touch()
    with feeding(tmp_path, [config], said.append, QUICK):
        pass
    with Store(tmp_path) as store:
        assert store.outbox.count(config.key) == 0


def test_what_is_refused_is_said_and_holds_up_nothing(tmp_path: Path):
    said: list[str] = []
    kept = tmp_path / "kept"
    script = f'[ "$NOMALY_ID" = {ids_of(1)[0]} ] && exit 7; echo $NOMALY_ID >> {kept}'
    config = CommandConfig(words=("sh", "-c", script))
    with Store(tmp_path, sinks=[config.key]) as store:
        begin(store, a_finding(1), a_finding(2))
    feeder = Feeder(tmp_path, config, said.append, QUICK)
    while not kept.exists():
        time.sleep(0.01)
    feeder.close()
    assert kept.read_text().split() == ids_of(2)
    first, last = said
    assert "exit code 7" in first
    assert last == f"sh: failed (exit code 7), 3 times for {ids_of(1)[0]}; it is not tried again"


KILLED = """
import os, signal, sys
from pathlib import Path
from app.sinks.feeder import Feeder
from app.sinks.jsonl import JsonlConfig, JsonlSink
from tests.app.sinks.peers import File, Peer
from tests.app.sinks.test_feeder import save

folder, moment = Path(sys.argv[1]), sys.argv[2]
file = File(folder)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if moment == "before delivery":
    JsonlSink.send = die
else:
    from app.events.outbox import Outbox
    Outbox.taken = die
save(folder, file, 1, 2)
Feeder(folder, file.config).close()
"""


@pytest.mark.parametrize(
    ("moment", "arrived"),
    # Delivered but not noted: it comes twice, and the sink knows it by what it has written.
    [("before delivery", [1, 2]), ("before it is noted", [1, 2])],
)
def test_a_kill_between_commit_and_note_loses_nothing(
    tmp_path: Path, file: File, moment: str, arrived: list[int]
):
    words = [sys.executable, "-c", KILLED, tmp_path, moment]
    killed = subprocess.run(words, timeout=120, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    Feeder(tmp_path, JsonlConfig(path=file.config.path), patience=QUICK).close()
    assert ids(file) == ids_of(*arrived)
    assert [row["number"] for row in file.arrived()] == arrived
