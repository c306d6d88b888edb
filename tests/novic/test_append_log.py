"""Lines that are on the disk or not there: torn ends, full disks, threads."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from novic.append_log import AppendLog, DamagedLineError
from tests.small_files import small_files

WRITES_FOR_EVER = """
import sys
from pathlib import Path
from novic.append_log import AppendLog
log = AppendLog(Path(sys.argv[1]))
for number in range(1_000_000):
    log.append({"number": number, "text": "x" * 3000})
    print(number, flush=True)
"""


def test_rows_come_back_in_their_order(tmp_path: Path):
    log = AppendLog(tmp_path / "log.jsonl")
    assert log.read(dict) == []
    log.append({"name": "café\u2028\ud800"})
    log.append({"n": 1}, {"n": 2})
    log.append()
    assert AppendLog(log.path).read(dict) == [{"name": "café\u2028\ud800"}, {"n": 1}, {"n": 2}]
    assert log.path.read_text("ascii").count("\n") == 3


@pytest.mark.parametrize("torn", ['{"n": 2', '{"n": 2}', "x" * 100_000])
def test_a_torn_last_line_is_passed_over_and_cut_off_by_the_next(tmp_path: Path, torn: str):
    log = AppendLog(tmp_path / "log.jsonl")
    log.append({"n": 1})
    with log.path.open("a") as file:
        file.write(torn)
    assert log.read(dict) == [{"n": 1}]
    log.append({"n": 3})
    assert log.path.read_text() == '{"n": 1}\n{"n": 3}\n'


def test_a_file_of_a_torn_line_alone_is_emptied(tmp_path: Path):
    log = AppendLog(tmp_path / "log.jsonl")
    log.path.write_text("{")
    log.append()
    assert log.path.read_bytes() == b""


def test_rows_that_do_not_fit_are_taken_back(tmp_path: Path):
    log = AppendLog(tmp_path / "log.jsonl")
    log.append({"n": 1})
    before = log.path.read_bytes()
    with small_files(2000):
        with pytest.raises(OSError, match="too large"):
            log.append({"n": 2}, {"text": "x" * 5000})
        assert log.path.read_bytes() == before
        log.append({"n": 3})
    assert log.read(dict) == [{"n": 1}, {"n": 3}]


def test_a_row_that_is_no_json_changes_nothing(tmp_path: Path):
    log = AppendLog(tmp_path / "log.jsonl")
    log.append({"n": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        log.append({"n": 2}, {"n": object()})
    assert log.read(dict) == [{"n": 1}]


@pytest.mark.parametrize("line", ["no json", "[]", '{"m": 1}', "[" * 100_000])
def test_a_damaged_line_is_told_with_its_number(tmp_path: Path, line: str):
    log = AppendLog(tmp_path / "log.jsonl")
    log.path.write_text(f'{{"n": 1}}\n{line}\n')
    with pytest.raises(DamagedLineError, match=r"log\.jsonl:2: is damaged") as caught:
        log.read(lambda row: row["n"])
    assert caught.value.line == 2


def test_threads_do_not_mix_their_lines(tmp_path: Path):
    log = AppendLog(tmp_path / "log.jsonl")
    with ThreadPoolExecutor(8) as threads:
        for number in range(64):
            threads.submit(log.append, {"n": number, "text": "x" * 20_000}, {"n": -number})
    rows = [row["n"] for row in log.read(dict)]
    assert sorted(rows[::2]) == list(range(64))
    assert rows[1::2] == [-number for number in rows[::2]]


def test_what_was_appended_before_a_kill_is_there(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", WRITES_FOR_EVER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as writing:
        assert writing.stdout
        told = [int(writing.stdout.readline()) for _ in range(5)]
        writing.send_signal(signal.SIGKILL)
        told += [int(line) for line in writing.stdout.read().split()]
    log = AppendLog(path)
    log.append({"number": -1})
    numbers = [json.loads(line)["number"] for line in path.read_text().splitlines()]
    assert numbers[: len(told)] == told
    assert len(numbers) - len(told) in (1, 2)
