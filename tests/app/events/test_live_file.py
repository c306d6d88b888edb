"""`events.jsonl` while a run goes on."""

import json
from dataclasses import replace
from pathlib import Path

from app.events.live_file import LiveFile
from app.events.store import Store
from tests.app.events.findings import a_finding, begin, changes


def lines(folder: Path) -> list[str]:
    """The ids in the file; every line is whole."""
    text = (folder / "events.jsonl").read_text()
    assert not text or text.endswith("\n")
    return [json.loads(line)["id"] for line in text.splitlines()]


def ids_of(*numbers: int) -> list[str]:
    return [a_finding(number).event.id for number in numbers]


def test_it_begins_with_what_was_closed_and_gains_what_closes(tmp_path: Path):
    opened = replace(a_finding(3), event=replace(a_finding(3).event, state="opened"))
    with Store(tmp_path) as store:
        run_id = begin(store, a_finding(1), opened)
    (tmp_path / "events.jsonl").write_text('{"id": "torn by a ki')
    file = LiveFile(tmp_path, run_id, print)
    assert lines(tmp_path) == ids_of(1)
    file.add([opened.event])
    assert lines(tmp_path) == ids_of(1)
    file.add([a_finding(3).event, a_finding(2).event])
    assert lines(tmp_path) == ids_of(1, 3, 2)
    with (tmp_path / "events.jsonl").open() as text:
        assert json.loads(text.readline()) == a_finding(1).event.as_json()


def test_what_could_not_be_written_follows_from_the_store(tmp_path: Path):
    said: list[str] = []
    with Store(tmp_path) as store:
        run_id = begin(store)
        file = LiveFile(tmp_path, run_id, said.append)
        path = tmp_path / "events.jsonl"
        path.unlink()
        path.mkdir()
        for number in (1, 2, 3):
            if number == 3:
                path.rmdir()
            begin_more(store, run_id, number)
            file.add([a_finding(number).event])
    assert lines(tmp_path) == ids_of(1, 2, 3)
    assert said == [f"{path}: cannot be written: Is a directory; its lines follow later"]


def begin_more(store: Store, run_id: int, number: int) -> None:
    store.save(run_id, changes(a_finding(number, start_s=float(number))))
