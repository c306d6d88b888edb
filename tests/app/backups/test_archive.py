"""Backups are whole, also beside a watch, and come back as they were."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.backups.archive import backup, restore
from app.cli import cli
from app.errors import StoreError, UsageError
from app.events.logins import LOGINS
from app.events.reading import in_place
from app.feedback.answers import Answer, answers, keep_answer
from app.feedback.verdicts import Verdicts
from tests.app.feedback.verdicts import a_verdict
from tests.app.search.stores import called, keep, kept, site


def test_a_site_comes_back_as_it_was(tmp_path: Path):
    place = site(tmp_path / "site")
    (place / "site.yaml").write_text("cameras: []\n")
    for folder in (place, place / "hall"):
        for name in LOGINS:
            (folder / name).write_text("of this machine alone")
    (place / "hall" / "detector").mkdir()
    Verdicts(place / "hall" / "detector").add(a_verdict(0))
    keep_answer(place / "hall", Answer("00000000000002-abc", "confirmed", time_us=1))
    made = backup(place, tmp_path / "site.tar.gz")
    found = restore(tmp_path / "site.tar.gz", tmp_path / "back")
    assert (made.events, found.events, made.files) == (4, 4, found.files)
    for name in ("hall", "gate"):
        with in_place(place / name) as old, in_place(tmp_path / "back" / name) as new:
            assert new.events(1) == old.events(1)
            for event in new.events(1):
                for kind in ("crops", "snapshots", "heat"):
                    before = old.media(kind, event).read_bytes()
                    assert new.media(kind, event).read_bytes() == before
    assert not [one for name in LOGINS for one in (tmp_path / "back").rglob(name)]
    assert len(answers(tmp_path / "back" / "hall")) == 1
    assert len(Verdicts(tmp_path / "back" / "hall" / "detector").all()) == 1
    assert (tmp_path / "back" / "site.yaml").read_text() == "cameras: []\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["back", "site", "site.tar.gz"]


def test_a_watch_goes_on_meanwhile(tmp_path: Path):
    with kept(tmp_path / "hall", called(0, "cat")) as watching:
        made = backup(tmp_path / "hall", tmp_path / "hall.tar.gz")
        watching.add_note(1, "still there")
    assert made.events == 1
    assert restore(tmp_path / "hall.tar.gz", tmp_path / "back").events == 1


@pytest.mark.parametrize(
    ("out", "fault"), [("a.zip", "ends in .tar.gz"), ("there.tar.gz", "is there already")]
)
def test_a_place_that_will_not_do_is_refused(tmp_path: Path, out: str, fault: str):
    (tmp_path / "there.tar.gz").touch()
    with pytest.raises(UsageError, match=fault):
        backup(keep(tmp_path / "hall"), tmp_path / out)


def altered(archive: Path, name: str, content: bytes) -> Path:
    """The archive with another file in place of one, or besides."""
    made = archive.with_name("altered.tar.gz")
    with tarfile.open(archive) as old, tarfile.open(made, "w:gz") as new:
        for member in old:
            file = old.extractfile(member)
            if member.name != name:
                new.addfile(member, file)
        described = tarfile.TarInfo(name)
        described.size = len(content)
        new.addfile(described, io.BytesIO(content))
    return made


def test_what_is_damaged_or_none_of_ours_is_refused(tmp_path: Path):
    keep(tmp_path / "hall", called(0, "cat"))
    archive = tmp_path / "hall.tar.gz"
    backup(tmp_path / "hall", archive)
    crop = "files/crops/00000000000000-abc.jpg"
    with pytest.raises(StoreError, match="damaged, its files are not those"):
        restore(altered(archive, crop, b"other"), tmp_path / "one")
    with pytest.raises(StoreError, match="lies outside"):
        restore(altered(archive, "files/../../evil", b""), tmp_path / "two")
    assert not (tmp_path / "evil").exists()
    card = json.dumps({"format": "other"}).encode()
    with pytest.raises(UsageError, match="is no backup of Nomaly, or of a newer one"):
        restore(altered(archive, "backup.json", card), tmp_path / "three")
    (tmp_path / "text.tar.gz").write_bytes(gzip.compress(b"no archive"))
    with pytest.raises(UsageError, match="is no backup of Nomaly"):
        restore(tmp_path / "text.tar.gz", tmp_path / "four")
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(StoreError, match="cannot be restored"):
        restore(cut, tmp_path / "five")


def test_a_folder_that_holds_files_is_left_alone(tmp_path: Path):
    keep(tmp_path / "hall", called(0, "cat"))
    backup(tmp_path / "hall", tmp_path / "hall.tar.gz")
    with pytest.raises(UsageError, match="is there already"):
        restore(tmp_path / "hall.tar.gz", tmp_path / "hall")


def test_the_commands_say_what_they_kept(tmp_path: Path):
    keep(tmp_path / "hall", called(0, "cat"))
    words = ["backup", str(tmp_path / "hall"), str(tmp_path / "a.tar.gz"), "--json"]
    assert json.loads(CliRunner().invoke(cli, words).stdout)["events"] == 1
    words = ["restore", str(tmp_path / "a.tar.gz"), str(tmp_path / "b")]
    assert CliRunner().invoke(cli, words).stdout.startswith("1 events, ")
