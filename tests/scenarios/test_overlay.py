"""Edits of people: kept, sorted, and told exactly what is wrong with them."""

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.overlay import Edit, Overlay, read_overlay, write_overlay
from scenarios.site import ScenarioError
from tests.small_files import small_files

_EDITS = st.builds(
    Edit,
    rating=st.none() | st.floats(1, 10),
    locked=st.booleans(),
    excluded=st.booleans(),
    note=st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(
        lambda text: "\n".join(text.strip().splitlines())
    ),
)
_NOUNS = st.text("abno79", min_size=1, max_size=4) | st.sampled_from(["no", "yes", "y", "747"])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_NOUNS, _EDITS.filter(lambda edit: edit != Edit()), max_size=4))
def test_what_is_written_is_read(edits: dict[str, Edit]):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "overlay.yaml"
        write_overlay(path, Overlay(edits))
        assert read_overlay(path).edits == edits
        assert list(Path(folder).iterdir()) == [path]


def test_the_file_is_sorted_and_short(tmp_path: Path):
    path = tmp_path / "overlay.yaml"
    edits = {"hammer": Edit(), "zebra": Edit(excluded=True), "forklift": Edit(9.5, True, note="x")}
    write_overlay(path, Overlay(edits))
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert lines == [
        "version: 1",
        "nouns:",
        "  forklift:",
        "    rating: 9.5",
        "    locked: true",
        "    note: x",
        "  zebra:",
        "    excluded: true",
    ]


def test_line_ends_of_notes_become_plain(tmp_path: Path):
    path = tmp_path / "overlay.yaml"
    write_overlay(path, Overlay({"drill": Edit(note="one\x85two\r\nthree\n")}))
    assert read_overlay(path).edits["drill"].note == "one\ntwo\nthree"


def test_no_file_means_no_edits(tmp_path: Path):
    assert read_overlay(tmp_path / "overlay.yaml") == Overlay()


def test_people_write_as_they_like(tmp_path: Path):
    path = tmp_path / "overlay.yaml"
    path.write_text("# mine\nversion: 1\nnouns:\n  Fork-Lift:\n    rating: 9\n    note:\n  café:\n")
    assert read_overlay(path).edits == {"fork lift": Edit(9.0)}
    path.write_text("version: 1\nnouns:\n")
    assert read_overlay(path) == Overlay()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "version: 1\nnouns:\n  forklift:\n    ratng: 9\n",
            ":4: nouns.forklift.ratng: unknown key, did you mean rating?",
        ),
        (
            "version: 1\nnouns:\n  note:\n    sdfghj: 9\n",
            ":4: nouns.note.sdfghj: unknown key, known are rating, locked, excluded, note",
        ),
        ("nouns: {}\n", ":1: version: is missing"),
        ("", ":1: version: is missing"),
        ("version: 2\n", ":1: version: 2 should be 1"),
        (
            "version: 1\nnouns:\n  drill: {rating: 0}\n",
            ":3: nouns.drill.rating: 0 should be greater than or equal to 1",
        ),
        (
            "version: 1\nnouns:\n  drill: {rating: .nan}\n",
            ":3: nouns.drill.rating: .nan should be a finite number",
        ),
        (
            "version: 1\nnouns:\n  drill: {rating: often}\n",
            ":3: nouns.drill.rating: often should be a valid number",
        ),
        (
            "version: 1\nnouns:\n  drill:\n    note: 12\n",
            ':4: nouns.drill.note: 12 is not taken for text here; write it in quotes: "12"',
        ),
        (
            "version: 1\nnouns:\n  no:\n    rating: 2\n",
            ':3: no is not taken for text here; write it in quotes: "no"',
        ),
        (
            "version: 1\nnouns:\n  drill:\n    rating: 2\n  drill:\n    rating: 3\n",
            ":5: nouns.drill: is there twice",
        ),
        (
            "version: 1\nnouns:\n  fork lift:\n    rating: 2\n  Fork-lift:\n    rating: 3\n",
            ":5: nouns.Fork-lift: is the same noun as fork lift; keep one of them",
        ),
        ("version: 1\nnouns:\n  '.': {rating: 2}\n", ":3: nouns..: is no noun"),
        ("version: 1\nnouns: [drill]\n", ":2: nouns: should be a valid dictionary"),
        ("version: 1\nnouns:\n  a: &x {rating: 2}\n  b: *x\n", ":4: *x: aliases are not read"),
        ("version: 1\nnouns: {\n", ":3: not YAML: "),
        (
            "version: 1\nnouns: !!python/name:os.system {}\n",
            ":2: tag:yaml.org,2002:python/name:os.system: such",
        ),
        ("version: !!python/name:os.system\n", ":1: not YAML: could not determine a constructor"),
        ("version: 2026-13-45\n", ":1: 2026-13-45: month must be in 1..12; write it in quotes"),
        ("version: \x01\n", ": not YAML: "),
        ("[" * 40 + "]" * 40, ":1: nested too deeply"),
    ],
)
def test_faults_name_line_and_key(tmp_path: Path, text: str, told: str):
    path = tmp_path / "overlay.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as raised:
        read_overlay(path)
    assert str(raised.value).startswith(f"{path}{told}")


def test_several_faults_are_told_at_once(tmp_path: Path):
    path = tmp_path / "overlay.yaml"
    nouns = "".join(f"  noun{number}: {{rating: 11}}\n" for number in range(12))
    path.write_text(f"version: 1\nnouns:\n{nouns}")
    with pytest.raises(ScenarioError) as raised:
        read_overlay(path)
    first, *others = str(raised.value).splitlines()
    assert first == f"{path}: 12 faults, the first 10 are:"
    assert len(others) == 10
    assert others[0].strip().startswith(f"{path}:3: nouns.noun0.rating: 11 should be less than")


def test_bytes_that_are_no_text(tmp_path: Path):
    path = tmp_path / "overlay.yaml"
    path.write_bytes(b"version: 1 \xff")
    with pytest.raises(ScenarioError, match="byte 11 is not UTF-8"):
        read_overlay(path)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "overlay.yaml"
    write_overlay(path, Overlay({"drill": Edit(2)}))
    many = Overlay({f"noun {number}": Edit(math.pi) for number in range(2000)})
    too_large = "cannot be written: File too large"
    with small_files(10_000), pytest.raises(ScenarioError, match=too_large):
        write_overlay(path, many)
    assert read_overlay(path).edits == {"drill": Edit(2.0)}
    assert list(tmp_path.iterdir()) == [path]
