"""Names of files that are not UTF-8."""

import os
from pathlib import Path

from app.paths import path_of, shown_path, uri_of

ODD = Path(os.fsdecode(b"caf\xe9 1.mp4"))


def test_a_plain_name_stays_as_it_is():
    assert uri_of(Path("day/a b%20.mp4")) == "day/a b%20.mp4"
    assert path_of("day/a b%20.mp4") == Path("day/a b%20.mp4")
    assert path_of("file:///day/a.mp4") == Path("/day/a.mp4")
    assert shown_path("Büro.mp4") == "Büro.mp4"


def test_a_name_that_is_not_utf_8_is_kept_and_shown(tmp_path: Path):
    uri = uri_of(tmp_path / ODD)
    assert uri == f"file://{tmp_path}/caf%E9%201.mp4"
    assert path_of(uri) == tmp_path / ODD
    assert shown_path(ODD) == "caf\\xe9 1.mp4"


def test_a_file_whose_name_holds_a_percent_sign_is_itself(tmp_path: Path):
    (tmp_path / "50%25.mp4").touch()
    assert path_of(f"file://{tmp_path}/50%25.mp4") == tmp_path / "50%25.mp4"
