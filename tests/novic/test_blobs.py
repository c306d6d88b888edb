"""What is kept of work that takes long: whole or not at all, and not for ever."""

import os
from pathlib import Path

import pytest

from novic import blobs
from novic.blobs import keep_blob, read_blob


def test_what_is_kept_comes_back_and_what_is_damaged_does_not(tmp_path: Path):
    path = tmp_path / "kept" / "one.blob"
    keep_blob(path, b"compiled")
    assert read_blob(path) == b"compiled"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match=r"one\.blob: damaged"):
        read_blob(path)
    assert [one.name for one in path.parent.iterdir()] == ["one.blob"]


def test_what_nobody_read_for_longest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blobs, "MOST_KEPT", 2)
    for number, name in enumerate(("a", "b")):
        keep_blob(tmp_path / f"{name}.blob", b"x")
        os.utime(tmp_path / f"{name}.blob", (number, number))
    read_blob(tmp_path / "a.blob")
    keep_blob(tmp_path / "c.blob", b"x")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.blob", "c.blob"]
