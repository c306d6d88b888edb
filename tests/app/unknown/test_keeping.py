"""What kept scores know of the pictures that they were fitted on."""

from pathlib import Path

import numpy as np
import pytest

from app.errors import UsageError
from app.unknown.keeping import Learned, keep, read_before, unlearned
from app.unknown.looking import Folder
from calibration.kept import CARD, Kept, KeptError, write_kept
from calibration.scores.features import Knn
from novic.digest import file_sha256
from novic.json_files import CARD_BYTES
from tests.calibration.scores.samples import cloud


def folder_of(path: Path, *contents: str) -> Folder:
    """A folder of files; that they are no pictures matters to nobody here."""
    path.mkdir()
    for number, content in enumerate(contents):
        (path / f"{number}.png").write_text(content)
    return Folder(path, tuple(map(str, sorted(path.iterdir()))))


def test_what_scores_were_fitted_on_and_weighed_by_comes_back(tmp_path: Path):
    known, tuning = folder_of(tmp_path / "a", "cat", "cup"), folder_of(tmp_path / "b", "rocket")
    learned = Learned(("cat",), ("cat", "cup")).with_pictures(known.files, tuning.files)
    fitted = Knn().fit(cloud(30, 0))
    keep(tmp_path / "kept", {"knn": fitted, "logistic": fitted}, {"embedder": "it"}, learned)
    before = read_before(tmp_path / "kept")
    assert before.learned == learned
    assert learned.pictures == tuple(file_sha256(Path(file))[:16] for file in known.files)
    assert len(learned.tuning) == 1
    assert learned.only_for({"logistic": fitted}) == learned
    assert learned.only_for({"knn": fitted}) == Learned(
        learned.classes, learned.nouns, learned.pictures
    )


def test_pictures_that_scores_were_weighed_by_are_left_out_too(tmp_path: Path):
    known, tuning = folder_of(tmp_path / "a", "cat"), folder_of(tmp_path / "b", "rocket", "brick")
    learned = Learned().with_pictures(known.files, tuning.files)
    said: list[str] = []
    copies = folder_of(tmp_path / "c", "brick", "face", "cat")
    found = unlearned(copies, learned, said.append)
    assert found.files == (str(tmp_path / "c" / "1.png"),)
    assert said == [f"{tmp_path / 'c'}: left out: 2 pictures that the scores were fitted on"]
    with pytest.raises(UsageError, match="b: the scores were fitted on all of its pictures, which"):
        unlearned(tuning, learned, said.append)


def test_a_file_that_cannot_be_read_is_left_to_who_looks_at_it(tmp_path: Path):
    known = folder_of(tmp_path / "a", "cat", "cup")
    learned = Learned().with_pictures(known.files[:1], ())
    Path(known.files[1]).unlink()
    assert unlearned(known, learned, print).files == known.files[1:]


def test_a_picture_that_is_gone_before_it_is_learned_is_told(tmp_path: Path):
    known = folder_of(tmp_path / "a", "cat", "cup")
    Path(known.files[1]).unlink()
    with pytest.raises(UsageError, match=r"1\.png: cannot be read any more"):
        Learned().with_pictures(known.files, ())


def test_half_a_million_pictures_can_be_kept_and_read_back(tmp_path: Path):
    learned = Learned(pictures=tuple(f"{number:016x}" for number in range(500_000)))
    keep(tmp_path, {}, {}, learned)
    assert (tmp_path / CARD).stat().st_size < CARD_BYTES / 1000
    assert read_before(tmp_path).learned == learned


def test_kept_scores_that_do_not_say_what_they_were_fitted_on_are_refused(tmp_path: Path):
    facts = {"classes": [], "nouns": []}
    write_kept(tmp_path, Kept({}, {}, facts | {"nouns": [3]}))
    with pytest.raises(KeptError, match="does not say the nouns that were fitted on"):
        read_before(tmp_path)
    digests = np.zeros((2, 8), np.uint8)
    for tables in ({"pictures": digests}, {"pictures": digests, "tuning": digests[:, :4]}):
        write_kept(tmp_path, Kept({}, {}, facts, tables))
        with pytest.raises(KeptError, match="does not say which tuning were fitted on"):
            read_before(tmp_path)
