"""Every fault that Nomaly expects stands in one tree, with the exit code that scripts see."""

import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from typer.testing import CliRunner

from app.cli import cli
from novic.errors import NomalyError
from tests.app.short_watch import run_nomaly

ROOT = Path(__file__).parents[1]
ROOMS = ("nomaly", "app", "training", "calibration", "scenarios", "detectors", "novic")


@cache
def exceptions() -> list[type[BaseException]]:
    """All exceptions that the product defines, in the order of rooms, modules and names."""
    names = [
        found.name
        for room in ROOMS
        for found in walk_packages([str(ROOT / room)], f"{room}.")
        if not found.name.endswith("__main__")
    ]
    return [
        value
        for module in names
        for _, value in sorted(vars(import_module(module)).items())
        if isinstance(value, type)
        and issubclass(value, BaseException)
        and value.__module__ == module
    ]


def faults() -> list[type[NomalyError]]:
    return [one for one in exceptions() if issubclass(one, NomalyError)]


def meaning(fault: type[NomalyError]) -> str:
    """The first sentence or clause of its docstring."""
    return " ".join((fault.__doc__ or "").split("\n\n")[0].split()).rstrip(".")


def test_every_fault_has_an_exit_code_and_says_what_it_means():
    assert len(faults()) > 30
    for fault in faults():
        assert fault.exit_code in (1, 2, 3, 4), fault
        assert fault.__dict__.get("__doc__"), fault


def test_only_control_flow_stands_outside_the_tree():
    outside = [
        one
        for one in exceptions()
        if not issubclass(one, NomalyError | KeyboardInterrupt) and one.__name__[0] != "_"
    ]
    assert outside == []


def test_the_document_lists_every_fault():
    rows = [
        f"| `{one.__module__}.{one.__name__}` | {one.exit_code} | {meaning(one)} |"
        for one in faults()
    ]
    written = (ROOT / "docs" / "errors.md").read_text().splitlines()
    assert [line for line in written if line.startswith("| `")] == rows


def test_a_fault_met_while_working_is_exit_code_1(tmp_path: Path):
    notes = tmp_path / "notes.mp4"
    notes.write_text("Monday: nothing unusual.\n")
    done = run_nomaly("fit", notes, "--out", tmp_path / "detector")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"nomaly: {notes}: not a video")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--device", "moon"), "unknown device 'moon'; use auto, cpu, cuda or cuda:N"),
        (("--gencfg", "beam_k0"), "'beam_k0'"),
        (("--ft", "6"), "--ft and --root are for --scenario NAME"),
    ],
)
def test_a_misuse_is_exit_code_2(tmp_path: Path, words: tuple[str, ...], sentence: str):
    done = run_nomaly("name", tmp_path, *words)
    assert done.returncode == 2
    assert sentence in done.stderr.splitlines()[-1]
    assert "unexpected" not in done.stderr


@pytest.mark.parametrize("source", ["gopher://camera/stream", "rtsp:///stream"])
def test_a_camera_that_cannot_be_reached_is_exit_code_3(tmp_path: Path, source: str):
    done = run_nomaly("watch", source, "--learn", "1", "--out", tmp_path / "out")
    assert done.returncode == 3
    assert done.stderr.startswith(f"nomaly: {source}: ")


@pytest.mark.parametrize(
    "words",
    [("audit", "--normal-first", "3"), ("watch", "--learn", "3"), ("fit",)],
    ids=lambda words: words[0],
)
def test_a_missing_file_is_the_same_misuse_in_every_command(tmp_path: Path, words: tuple[str, ...]):
    command, *options = words
    done = run_nomaly(command, "none.mp4", *options, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (2, "nomaly: none.mp4: there is no such file\n")


@pytest.mark.parametrize(
    "words",
    [
        ("calibrate", "{}", "--normal", "{}"),
        ("train", "tagood", "--tokens", "{}", "--out", "{}-1"),
        ("train", "clipn", "--images", "{}", "--out", "{}-1"),
    ],
    ids=lambda words: f"{words[0]} {words[1]}",
)
def test_an_empty_folder_is_the_same_misuse_in_every_command(
    tmp_path: Path, words: tuple[str, ...]
):
    done = CliRunner().invoke(cli, [word.format(tmp_path) for word in words])
    assert isinstance(done.exception, NomalyError)
    assert done.exception.exit_code == 2
    assert re.search("holds no|no detector here", str(done.exception))


def test_a_missing_model_is_exit_code_4(tmp_path: Path):
    done = run_nomaly("model", "show", tmp_path / "none")
    assert done.returncode == 4
    assert str(tmp_path / "none") in done.stderr


def test_a_fault_of_the_program_is_not_blamed_on_the_user():
    code = (
        "import sys\n"
        "from app.cli import cli, main\n"
        "@cli.command()\n"
        "def slip():\n"
        "    int('seven')\n"
        "sys.argv = ['nomaly', 'slip']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "nomaly: unexpected ValueError: invalid literal for int() with base 10: 'seven' "
        "(--debug shows where)\n"
    )
