"""The list of decoders goes into the author's file and leaves the rest alone."""

from pathlib import Path

import pytest

from scenarios.bundle_list import write_list
from scenarios.settings import Bundle
from scenarios.site import load_scenario, write_bundles
from scenarios.yaml_files import ScenarioError

HEAD = "# mine\nversion: 1\nname: hall  # the big one\ndescription: A camera in a hall.\n"
TAIL = "# about nouns\nexpected: [drill]\n# the end\n"
TWO = [Bundle(ft=6, path="bundles/ft6"), Bundle(ft=2, path="bundles/ft2")]
WRITTEN = "bundles:\n- ft: 6\n  path: bundles/ft6\n- ft: 2\n  path: bundles/ft2\n"


def written(folder: Path, text: str, bundles: list[Bundle]) -> str:
    file = folder / "scenario.yaml"
    file.write_bytes(text.encode())
    assert write_list(file, bundles) == load_scenario(folder).settings
    assert list(folder.iterdir()) == [file]
    return file.read_bytes().decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, HEAD + WRITTEN),
        (HEAD + TAIL.rstrip(), HEAD + TAIL + WRITTEN),
        (f"{HEAD}bundles:\n{TAIL}", HEAD + WRITTEN + TAIL),
        (f"{HEAD}bundles: []\n\n{TAIL}", f"{HEAD}{WRITTEN}\n{TAIL}"),
        (
            f"{HEAD}bundles: [{{ft: 1, path: x}},\n  {{ft: 0, path: y}}]\n{TAIL}",
            HEAD + WRITTEN + TAIL,
        ),
        (
            f"{HEAD}bundles:\n  - ft: 9\n    path: 'a # b'\n\n{TAIL}",
            f"{HEAD}{WRITTEN}\n{TAIL}",
        ),
        (
            f"{HEAD}bundles:  # kept 1\n  # kept 2\n  - ft: 9  # kept 3\n    path: x#y # kept 4\n"
            f"\n  # not of the list\n{TAIL}",
            HEAD
            + WRITTEN.replace(
                "bundles:\n", "bundles:\n  # kept 1\n  # kept 2\n  # kept 3\n  # kept 4\n"
            )
            + f"\n  # not of the list\n{TAIL}",
        ),
        ((HEAD + TAIL).replace("\n", "\r\n"), (HEAD + TAIL + WRITTEN).replace("\n", "\r\n")),
    ],
)
def test_everything_else_stays(tmp_path: Path, before: str, after: str):
    assert written(tmp_path, before, TWO) == after
    assert written(tmp_path, after, TWO) == after
    assert written(tmp_path, after, []).count("bundles: []") == 1


@pytest.mark.parametrize(
    "text",
    [
        "{version: 1, name: hall, description: A camera in a hall., bundles: []}\n",
        "{version: 1, name: hall, description: A camera in a hall.}\n",
        f"{HEAD}...\n",
    ],
)
def test_a_file_that_cannot_take_it_is_left(tmp_path: Path, text: str):
    with pytest.raises(ScenarioError, match=r"lines of its own, and write there:\nbundles:\n- ft"):
        written(tmp_path, text, TWO)
    assert (tmp_path / "scenario.yaml").read_text() == text


def test_faults_are_told_before_anything_is_written(tmp_path: Path):
    with pytest.raises(ScenarioError, match=":5: nmae: unknown key, did you mean name"):
        written(tmp_path, f"{HEAD}nmae: x\n", TWO)
    with pytest.raises(ScenarioError, match="cannot be read"):
        write_list(tmp_path / "none", TWO)


def test_decoders_of_other_thresholds_stay(tmp_path: Path):
    written(tmp_path, f"{HEAD}bundles:\n- ft: 9\n  path: mine\n- ft: 6\n  path: old\n", TWO[:1])
    scenario = load_scenario(tmp_path)
    now = write_bundles(scenario, {2: tmp_path / "bundles" / "ft2", 4: Path("/elsewhere/ft4")})
    assert now == load_scenario(tmp_path)
    assert now.settings.bundles == [
        Bundle(ft=6, path="bundles/ft6"),
        Bundle(ft=4, path="/elsewhere/ft4"),
        Bundle(ft=2, path="bundles/ft2"),
    ]
    assert now.bundle(4) == Path("/elsewhere/ft4")
