"""Results for a reader who goes away, and a terminal that is lost."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_disk import full

TELLING = """
import sys
from rich.console import Console
from app.commands.options import print_json
from app.lasting import LastingStdout

write = print_json if sys.argv[1] == "json" else lambda result: Console().print(result)
stdout = LastingStdout(lambda text: print(text, file=sys.stderr, flush=True))
for number in range(3):
    stdout.tell(write, {"number": number})
    sys.stdin.readline()
print("fault:", stdout.fault, file=sys.stderr, flush=True)
"""


def telling(kind: str, stdout: int) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    words = [sys.executable, "-c", TELLING, kind]
    return subprocess.Popen(words, stdin=pipe, stdout=stdout, stderr=pipe, text=True)


@pytest.mark.parametrize("kind", ["json", "rich"])
def test_a_reader_that_has_gone_is_said_once_and_the_work_goes_on(kind: str):
    with telling(kind, subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        process.stdin.write("\n\n\n")
        process.stdin.close()
        said = process.stderr.read()
    assert process.returncode == 0, said
    assert said.splitlines() == [
        "stdout was closed; nothing is told there any more, the work goes on",
        "fault: ",
    ]


@pytest.mark.parametrize("kind", ["json", "rich"])
def test_what_a_full_disk_refuses_comes_once_there_is_room(kind: str, small_disk: Path):
    results = small_disk / "results"
    with results.open("w") as stdout:
        with full(small_disk):
            process = telling(kind, stdout.fileno())
            assert process.stderr is not None
            refused = process.stderr.readline()
        with process:
            assert process.stdin is not None
            process.stdin.write("\n\n\n")
            process.stdin.close()
            said = process.stderr.read()
    assert refused == "stdout cannot be written (No space left on device); the work goes on\n"
    assert said.splitlines() == ["stdout can be written again", "fault: "]
    assert results.read_text().count("number") == 3
    assert len(results.read_text().splitlines()) == 3


LOSING = """
import os, sys
from app.progress import Reporter

reporter = Reporter()
with reporter.task("Learning", 3) as meter:
    meter.to(1)
    # The bar takes what is printed.
    print("ready", file=sys.__stdout__, flush=True)
    sys.stdin.readline()
    meter.to(2)
    reporter.say("still here")
print("done", flush=True)
"""


def test_progress_outlives_its_terminal():
    terminal, other_end = pty.openpty()
    words = [sys.executable, "-c", LOSING]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=other_end, text=True) as process:
        os.close(other_end)
        assert process.stdout is not None
        assert process.stdin is not None
        ready = process.stdout.readline()
        os.close(terminal)
        process.stdin.write("\n")
        process.stdin.close()
        rest = process.stdout.read()
    assert (ready, rest, process.returncode) == ("ready\n", "done\n", 0)
