import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from novic.digest import file_sha256
from scenarios.dictionary import read_dictionary
from scenarios.ratings.files import (
    dictionary_path,
    provenance,
    ratings_path,
    read_site_ratings,
    write_site,
)
from scenarios.ratings.records import Answer, Question, Rating, RatingError, RawScores
from scenarios.ratings.scale import calibrate
from scenarios.ratings.store import RatingStore
from tests.scenarios.builders import small_dictionary
from tests.scenarios.ratings.builders import a_site


def test_a_site_comes_back_as_it_was_written(tmp_path: Path):
    dictionary, ratings = a_site(0.3)
    written = write_site(tmp_path, "bench", dictionary, ratings)
    assert read_dictionary(dictionary_path(tmp_path, "bench")) == dictionary
    assert read_site_ratings(ratings_path(tmp_path, "bench")) == written
    assert written == replace(ratings, provenance=written.provenance)
    assert written.provenance == {
        "rule": "largest remainder",
        "dictionary_sha256": file_sha256(tmp_path / "object_nouns_bench.json"),
    }
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "object_nouns_bench.json",
        "object_nouns_bench.ratings.json",
    ]


def test_the_sidecar_is_json_with_one_noun_a_line(tmp_path: Path):
    write_site(tmp_path, "bench", *a_site(0.3))
    text = ratings_path(tmp_path, "bench").read_text()
    parsed = json.loads(text)
    assert (parsed["format"], parsed["version"]) == ("nomaly-site-ratings", 1)
    lines = [line.rstrip(",") for line in text.splitlines() if line.startswith('{"target_noun"')]
    assert [json.loads(line) for line in lines] == parsed["nouns"]
    assert len(lines) == len(small_dictionary().entries)


KILLED = """
import os, signal, sys
from pathlib import Path
from scenarios.ratings.files import write_site
from tests.scenarios.ratings.builders import a_site
left = 0

def kill(event, _):
    global left
    if event in ("open", "os.rename"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

site = a_site(2.5)
for folder in sorted(Path(sys.argv[1]).iterdir()):
    pid = os.fork()
    if pid == 0:
        left = int(folder.name)
        sys.addaudithook(kill)
        write_site(folder, "bench", *site)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_kill_at_any_file_operation_leaves_a_whole_site(tmp_path: Path):
    """Each of twelve children writes a new site over the old and is killed one operation later."""
    old, new = a_site(0.3)[0], a_site(2.5)[0]
    folders = [tmp_path / f"{operation:02}" for operation in range(1, 13)]
    for folder in folders:
        folder.mkdir()
        write_site(folder, "bench", *a_site(0.3))
    run = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path],
        cwd=Path(__file__).parents[3],
        check=True,
        capture_output=True,
        text=True,
    )
    seen = set()
    for folder, status in zip(folders, run.stdout.split(), strict=True):
        ratings = read_site_ratings(ratings_path(folder, "bench"))
        dictionary = read_dictionary(dictionary_path(folder, "bench"))
        assert dictionary in (old, new)
        here = {noun.target_noun: noun.total for noun in ratings.nouns if not noun.excluded}
        assert here == {entry.target_noun: entry.total_freq for entry in dictionary.entries}
        seen.add((int(status), dictionary == new))
    assert seen == {(-signal.SIGKILL, False), (-signal.SIGKILL, True), (0, True)}


def test_a_dictionary_that_was_changed_alone_is_noticed(tmp_path: Path):
    write_site(tmp_path, "bench", *a_site(0.3))
    path = dictionary_path(tmp_path, "bench")
    path.write_text(path.read_text().replace('"deer"', '"stag"'))
    with pytest.raises(RatingError, match=r"does not belong to object_nouns_bench\.json beside it"):
        read_site_ratings(ratings_path(tmp_path, "bench"))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"rating": 9.0', '"rating": "9"', r"noun 2 \(deer\), rating: Input should be a valid num"),
        ('"base_total": 14, ', "", r"noun 2 \(deer\), base_total: Field required"),
        ('"version": 1', '"version": 7', "version 7 of the format is not known here"),
        ("nomaly-site-ratings", "x", "is no sidecar of a site's dictionary"),
        ('"scenario": "bench",', '"scenario": "bench"', r"json:5:3: not JSON"),
    ],
)
def test_a_damaged_sidecar_is_told(tmp_path: Path, old: str, new: str, sentence: str):
    write_site(tmp_path, "bench", *a_site(0.3))
    path = ratings_path(tmp_path, "bench")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(RatingError, match=sentence):
        read_site_ratings(path)


def test_missing_files_are_told(tmp_path: Path):
    with pytest.raises(RatingError, match=r"nouns_bench\.json: cannot be read: .* rate` again"):
        read_site_ratings(ratings_path(tmp_path, "bench"))
    with pytest.raises(RatingError, match="cannot be written: No such file"):
        write_site(tmp_path / "gone", "bench", *a_site(0.3))


def test_provenance_says_who_was_asked_what_and_what_it_cost(tmp_path: Path):
    question = Question("digit", "a-model", "", "prompt", "site")
    scores = RawScores(
        {}, {}, {f"s{n}": n + 1.0 for n in range(10)}, {f"n{n}": 0.0 for n in range(10)}
    )
    with RatingStore(tmp_path / "ratings.sqlite") as store:
        store.add(
            question,
            Answer(
                "r",
                "ok",
                (Rating("deer", "deer", 3),),
                "",
                "batch",
                50,
                5,
                0.5,
                1_700_000_000_000_000,
            ),
        )
        asked = store.questions()
    calibration = calibrate(scores)
    made = provenance(
        [(asked[0], calibration)],
        base_sha256="base",
        rule="largest remainder",
        share=0.1,
        made_us=1_700_000_060_000_000,
    )
    assert made["made"] == "2023-11-14T22:14:20+00:00"
    (rater,) = made["raters"]
    assert (rater["model"], rater["prompt_sha256"], rater["site_sha256"]) == (
        "a-model",
        "prompt",
        "site",
    )
    assert (rater["backends"], rater["requests"], rater["cost_usd"]) == ({"batch": 1}, 1, 0.5)
    assert rater["last_answer"] == "2023-11-14T22:13:20+00:00"
    assert rater["calibration"]["auc"] == calibration.auc == 1.0
    assert json.loads(json.dumps(made)) == made


def test_a_full_disk_leaves_the_old_site(small_disk: Path):
    write_site(small_disk, "bench", *a_site(0.3))
    before = read_site_ratings(ratings_path(small_disk, "bench"))
    free = shutil.disk_usage(small_disk).free
    (small_disk / "filler").write_bytes(b"x" * (free - 4096))
    with pytest.raises(RatingError, match="cannot be written: No space left on device; free some"):
        write_site(small_disk, "bench", *a_site(2.5))
    assert len(list(small_disk.iterdir())) == 3
    assert read_site_ratings(ratings_path(small_disk, "bench")) == before
    (small_disk / "filler").unlink()
    write_site(small_disk, "bench", *a_site(2.5))
    assert read_site_ratings(ratings_path(small_disk, "bench")) != before
