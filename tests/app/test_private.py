"""Who else can read what a camera saw."""

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from app.events.outputs import sole_writer, write_text
from app.events.store import Store
from app.private import is_private, privately, users_umask
from scenarios.ratings.store import RatingStore
from scenarios.site import create


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def fill(out: Path) -> None:
    with sole_writer(out, overwrite=False), Store(out):
        write_text(out / "report.html", "seen")


def test_a_new_folder_and_all_in_it_is_private(tmp_path: Path, umask: int):
    out, told = tmp_path / "out", []
    for _ in range(2):
        with privately(out, told.append):
            fill(out)
    assert told == []
    assert mode(out) == 0o700
    assert len(list(out.rglob("*"))) > 3
    assert [file for file in out.rglob("*") if not is_private(file)] == []
    (tmp_path / "more").touch()
    assert mode(tmp_path / "more") == 0o666 & ~umask


def test_a_folder_that_others_can_read_stays_so_and_is_told(tmp_path: Path, umask: int):
    out, told = tmp_path / "out", []
    out.mkdir()
    out.chmod(0o750)
    with privately(out, told.append):
        fill(out)
    assert told == [f"Note: {out} can be read by other users of this machine; chmod 700 {out}"]
    assert mode(out) == 0o750
    assert mode(out / "report.html") == 0o666 & ~umask


def test_a_program_that_uses_nomaly_keeps_its_own_files_as_they_are(tmp_path: Path, umask: int):
    fill(tmp_path / "a" / "out")
    assert mode(tmp_path / "a" / "out") == 0o700
    assert mode(tmp_path / "a") == 0o777 & ~umask


def test_programs_of_the_user_write_as_they_always_do(tmp_path: Path, umask: int):
    for number in range(2):
        file = tmp_path / f"written{number}"
        with privately(tmp_path / "new", print) if number else nullcontext():
            subprocess.run(["touch", file], check=True, umask=users_umask())
        assert mode(file) == 0o666 & ~umask


def test_scenarios_and_ratings_are_private(tmp_path: Path, umask: int):
    del umask
    RatingStore(tmp_path / "data" / "ratings.sqlite").close()
    create(tmp_path / "sites" / "hall", "name: hall\n")
    assert mode(tmp_path / "data") == mode(tmp_path / "sites" / "hall") == 0o700


@pytest.mark.slow
def test_what_the_command_writes_is_private(audited: tuple[Path, str]):
    out, _ = audited
    assert mode(out) == 0o700
    assert [file for file in out.rglob("*") if not is_private(file)] == []
