"""The output folder: who may write there, and the plain files beside the store."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import InUseError, StoreError, UsageError
from app.events.lock import check_unused
from app.events.logins import LOGINS
from app.events.outputs import (
    claim_folder,
    earlier_run,
    sole_writer,
    write_events,
    write_text,
)
from app.events.store import Store
from tests.app.events.findings import a_finding


def test_events_are_written_a_line_each(tmp_path: Path):
    write_events(tmp_path, [a_finding(1).event, a_finding(2).event])
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [line["noun"] for line in lines] == ["cat", "cat"]
    assert lines[0]["box"] == [10.5, 5, 30, 25]
    assert lines[0]["candidates"] == [["cat", 0.5], ["dog", 0.25]]


def test_a_text_that_cannot_be_written_says_where(tmp_path: Path):
    with pytest.raises(StoreError, match=r"nowhere/report\.html: cannot be written: No such file"):
        write_text(tmp_path / "nowhere" / "report.html", "x")


def test_other_peoples_folders_are_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(UsageError, match=r"holds files that are not Nomaly's \(thesis.txt"):
            claim_folder(tmp_path, overwrite=overwrite)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_overwriting_removes_only_what_a_run_wrote(tmp_path: Path):
    Store(tmp_path).close()
    (tmp_path / "annotated.mp4").write_text("video")
    (tmp_path / "notes.txt").write_text("mine")
    claim_folder(tmp_path, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_overwriting_removes_links_and_leaves_what_they_lead_to(tmp_path: Path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "thesis.txt").write_text("precious")
    Store(out).close()
    (out / "crops").rmdir()
    (out / "crops").symlink_to(elsewhere)
    (out / "report.html").symlink_to(elsewhere / "thesis.txt")
    write_text(out / "report.html", "new")
    (out / "annotated.mp4").symlink_to(elsewhere / "thesis.txt")
    claim_folder(out, overwrite=True)
    assert list(out.iterdir()) == []
    assert (elsewhere / "thesis.txt").read_text() == "precious"


def test_a_file_is_no_output_folder(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file; name a folder"):
        claim_folder(tmp_path / "file", overwrite=False)
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        claim_folder(tmp_path / "file" / "below", overwrite=False)


HOLDER = """
import sys
from pathlib import Path
from app.events.outputs import sole_writer
with sole_writer(Path(sys.argv[1]), overwrite=False):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_has_one_writer_until_that_ends_however_it_does(tmp_path: Path):
    words = [sys.executable, "-c", HOLDER, tmp_path]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for overwrite in (False, True):
            with (
                pytest.raises(InUseError, match=f"is in use by process {holder.pid}; stop it"),
                sole_writer(tmp_path, overwrite=overwrite),
            ):
                pass
        with pytest.raises(InUseError, match=f"in use by process {holder.pid}"):
            check_unused(tmp_path)
        holder.kill()
    check_unused(tmp_path)
    check_unused(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    for _ in range(2):
        with sole_writer(tmp_path, overwrite=True):
            Store(tmp_path).close()


def test_a_run_is_taken_up_only_by_the_same_one(tmp_path: Path):
    settings = {"source": "rtsp://camera/hall", "fps": 5.0}
    with Store(tmp_path) as store:
        assert earlier_run(store, "watch", settings) is None
        run = store.begin_run("watch", settings)
        assert earlier_run(store, "watch", settings) == run
        differs = r"another run: fps \(5\.0 before, 2\.0 now\); name another folder, or use --over"
        with pytest.raises(UsageError, match=differs):
            earlier_run(store, "watch", {**settings, "fps": 2.0})
        with pytest.raises(UsageError, match="results of another run: a watch; name another"):
            earlier_run(store, "audit", settings)


def test_a_page_that_was_there_before_its_watch_is_no_stranger(tmp_path: Path):
    for name in LOGINS:
        (tmp_path / name).write_text("")
    with sole_writer(tmp_path, overwrite=False):
        pass
    with sole_writer(tmp_path, overwrite=True):
        assert all((tmp_path / name).exists() for name in LOGINS)
    (tmp_path / "thesis.txt").write_text("")
    with (
        pytest.raises(UsageError, match="holds files that are not Nomaly's"),
        sole_writer(tmp_path, overwrite=False),
    ):
        pass
