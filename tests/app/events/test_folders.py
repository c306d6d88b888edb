from pathlib import Path

import pytest

from app.errors import UsageError
from app.events.folders import watched_folders
from app.events.store import Store


def test_a_site_holds_the_stores_of_its_cameras_in_the_order_of_their_names(tmp_path: Path):
    for name in ("yard", "hall"):
        Store(tmp_path / name).close()
    (tmp_path / "notes").mkdir()
    assert [one.name for one in watched_folders(tmp_path)] == ["hall", "yard"]
    assert watched_folders(tmp_path)[0].folder == tmp_path / "hall"


def test_the_folder_of_one_run_is_a_place_with_one_store(tmp_path: Path):
    Store(tmp_path / "hall").close()
    (one,) = watched_folders(tmp_path / "hall")
    assert one.name == "hall"


def test_a_place_without_a_store_is_told_with_what_to_name(tmp_path: Path):
    with pytest.raises(UsageError, match=r"holds no events\.sqlite, nor does a folder in it"):
        watched_folders(tmp_path)
