import itertools
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.ratings.records import (
    Answer,
    Line,
    Planned,
    Rating,
    RatingError,
    Spent,
)
from scenarios.ratings.store import RatingStore
from tests.scenarios.ratings.builders import QUESTION, an_answer

OTHER = replace(QUESTION, model="another-model")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ratings.sqlite"


def test_an_answer_comes_back_as_it_was_kept(path: Path):
    ratings = (
        Rating("x ray machine", "X-ray machine", -1.25, "positive", 2, 7),
        Rating("öl", "Öl", 8.0, "duplicate", 2, 1),
    )
    answer = Answer("r", "ok", ratings, "why not", "batch", 12, 3, 0.1, 99)
    with RatingStore(path) as store:
        assert store.add(QUESTION, answer)
    with RatingStore(path) as store:
        assert store.answers(["r", "never asked"]) == {"r": answer}
        assert store.ratings(QUESTION) == list(ratings)


def test_the_first_answer_to_a_request_stays(path: Path):
    with RatingStore(path) as store:
        assert store.add(QUESTION, an_answer(1))
        assert not store.add(QUESTION, replace(an_answer(2), request_id="request-1"))
        assert store.answers(["request-1"]) == {"request-1": an_answer(1)}
        assert store.spent(QUESTION).requests == 1


def test_order_is_order_of_arrival_whatever_the_clock_said(path: Path):
    with RatingStore(path) as store:
        for number in (5, 1, 3):
            store.add(QUESTION, an_answer(number))
        assert list(store.answers(["request-1", "request-3", "request-5"])) == [
            "request-5",
            "request-1",
            "request-3",
        ]
        assert [r.target_noun for r in store.ratings(QUESTION)][::3] == [
            "noun 5 0",
            "noun 1 0",
            "noun 3 0",
        ]


def test_questions_do_not_mix_and_refused_answers_cost_but_do_not_rate(path: Path):
    rejected = Answer("no", "rejected", (), "all digits are equal", "batch", 50, 5, 0.5, 7)
    with RatingStore(path) as store:
        store.add(QUESTION, an_answer(1))
        store.add(OTHER, an_answer(2))
        store.add(QUESTION, rejected)
        assert store.ratings(QUESTION) == list(an_answer(1).ratings)
        assert store.spent(QUESTION) == Spent(2, 150, 15, 0.75)
        assert store.spent(replace(OTHER, model="never asked")) == Spent()
        asked, other = store.questions()
        assert (asked.question, other.question) == (QUESTION, OTHER)
        assert asked.backends == {"batch": 1, "direct": 1}
        assert (asked.first_us, asked.last_us) == (7, 1_699_999_999_999_999)


def test_a_plan_grows_by_rounds_and_comes_back_in_order(path: Path):
    first = [
        Planned((Line("cup", "cup"), Line("suv", "SUV", "duplicate")), 1, 1, 3),
        Planned((Line("bowl", "bowl"),)),
    ]
    second = [Planned((Line("cup", "cup", "positive"),), opinion=2, attempt=3)]
    with RatingStore(path) as store:
        store.plan("run a", first)
        store.plan("run b", second)
        store.plan("run a", second)
    with RatingStore(path) as store:
        assert store.rounds("run a") == [first, second]
        assert store.rounds("run b") == [second]
        assert store.rounds("no such run") == []
        assert [p.request_id(QUESTION) for p in store.rounds("run a")[0]] == [
            p.request_id(QUESTION) for p in first
        ]


WRITER = """
import sys
from pathlib import Path
from scenarios.ratings.store import RatingStore
from tests.scenarios.ratings.builders import QUESTION, an_answer
name, count = sys.argv[2], int(sys.argv[3])
with RatingStore(Path(sys.argv[1])) as store:
    for number in range(count):
        answer = an_answer(number)
        store.add(QUESTION, type(answer)(f"{name}{number}", *[
            getattr(answer, field) for field in list(answer.__slots__)[1:]
        ]))
        print(number, flush=True)
"""


def a_writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_was_said_to_be_kept_survives_a_kill_whole(path: Path):
    kept = set()
    for turn in range(3):
        with a_writer(path, f"{turn}-", 1_000_000) as writer:
            assert writer.stdout
            for _ in range(40 * (turn + 1)):
                kept.add(f"{turn}-{writer.stdout.readline().strip()}")
            os.kill(writer.pid, signal.SIGKILL)
    with RatingStore(path) as store:
        answers = store.answers(kept)
        assert set(answers) == kept
        assert all(len(answer.ratings) == 3 for answer in answers.values())
        assert len(store.ratings(QUESTION)) == 3 * store.spent(QUESTION).requests


def test_several_processes_make_and_fill_one_store_at_once(path: Path):
    writers = [a_writer(path, name, 20) for name in "abc"]
    for writer in writers:
        writer.communicate()
    assert [writer.returncode for writer in writers] == [0] * 3
    with RatingStore(path) as store:
        assert store.spent(QUESTION).requests == 60
        assert len(store.ratings(QUESTION)) == 180


def test_a_store_that_another_process_writes_to_is_waited_for_then_told(path: Path):
    with RatingStore(path, wait_s=0.2) as store:
        store.add(QUESTION, an_answer(1))
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(RatingError, match=r"sqlite: another process has been .* over 0\.2 s"):
            store.add(QUESTION, an_answer(2))
        assert store.ratings(QUESTION) == list(an_answer(1).ratings)
        blocker.execute("ROLLBACK")
        blocker.close()
        assert store.add(QUESTION, an_answer(2))


def test_a_failed_write_leaves_nothing_of_the_answer(path: Path):
    broken = replace(an_answer(2), ratings=(*an_answer(2).ratings, Rating("x", "x", float("nan"))))
    with RatingStore(path) as store:
        store.add(QUESTION, an_answer(1))
        with pytest.raises(RatingError, match="NOT NULL constraint"):
            store.add(OTHER, broken)
        assert store.answers(["request-2"]) == {}
        assert [asked.question for asked in store.questions()] == [QUESTION]
        assert store.add(OTHER, an_answer(2))


def test_a_store_of_a_newer_nomaly_is_refused(path: Path):
    with RatingStore(path) as store:
        store.add(QUESTION, an_answer(1))
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(RatingError, match=r"ratings\.sqlite: written by a newer Nomaly"):
        RatingStore(path)


def test_a_database_of_another_program_is_left_alone(path: Path):
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE bookmark(url TEXT)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(RatingError, match=r"ratings\.sqlite: is a database of another program"):
        RatingStore(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(path: Path):
    path.parent.mkdir()
    path.write_bytes(b"hello " * 1000)
    with pytest.raises(RatingError, match=r"sqlite: is damaged or no rating store .* move it away"):
        RatingStore(path)
    assert path.read_bytes() == b"hello " * 1000


def a_filled_store(path: Path) -> int:
    with RatingStore(path) as store:
        for number in range(50):
            store.add(QUESTION, an_answer(number, nouns=25))
    return path.stat().st_size


def test_a_truncated_store_is_told(path: Path):
    os.truncate(path, a_filled_store(path) // 2 // 4096 * 4096)
    with pytest.raises(RatingError, match=r"sqlite: is damaged or no rating store"):
        RatingStore(path)


def test_overwritten_pages_are_told(path: Path):
    size = a_filled_store(path)
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(bytes(range(256)) * 32)
    with pytest.raises(RatingError, match=r"sqlite: is damaged or no rating store"):
        RatingStore(path)


def test_a_full_disk_is_said_and_loses_nothing(small_disk: Path):
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (600 << 10))
    with RatingStore(small_disk / "ratings.sqlite") as store:
        kept = itertools.count()
        with pytest.raises(RatingError, match=r"ratings\.sqlite: cannot be written: the disk is f"):
            all(store.add(QUESTION, an_answer(number, nouns=100)) for number in kept)
        count = next(kept) - 1
        assert count
        filler.unlink()
        assert store.add(QUESTION, an_answer(count, nouns=100))
    with RatingStore(small_disk / "ratings.sqlite") as store:
        assert store.spent(QUESTION).requests == count + 1
        assert len(store.ratings(QUESTION)) == 100 * (count + 1)


def test_a_disk_too_full_to_make_a_store_is_said(small_disk: Path):
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(b"x" * (2 << 20))
    with pytest.raises(RatingError, match="the disk is full"):
        RatingStore(small_disk / "ratings.sqlite")
    (small_disk / "filler").unlink()
    with RatingStore(small_disk / "ratings.sqlite") as store:
        assert store.add(QUESTION, an_answer(1))


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_cannot_be_written_is_said(small_disk: Path, there: bool):
    path = small_disk / "data" / "ratings.sqlite"
    if there:
        with RatingStore(path) as store:
            store.add(QUESTION, an_answer(1))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(RatingError, match=r"data.*: cannot be written: .* writable"):
        RatingStore(path)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    with RatingStore(path) as store:
        assert store.spent(QUESTION).requests == int(there)
