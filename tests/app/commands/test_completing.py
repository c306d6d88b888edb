"""What shells propose behind a command."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from tests.app.search.stores import site

CAT, WRENCH = "00000000000000-abc", "00000000000002-abc"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a site that was watched, a store that is none, and a scenario."""
    folder = tmp_path_factory.mktemp("places")
    site(folder / "site")
    (folder / "broken").mkdir()
    (folder / "broken" / "events.sqlite").write_text("no database")
    (folder / "scenarios" / "yard").mkdir(parents=True)
    (folder / "scenarios" / "yard" / "scenario.yaml").touch()
    return folder


def proposed(typed: str, folder: Path) -> list[str]:
    """What bash is told; a space at the end means that the next word begins."""
    environment = {
        "NOMALY_SCENARIOS": str(folder / "scenarios"),
        "_NOMALY_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - (not typed.endswith(" "))),
    }
    with contextlib.chdir(folder):
        done = CliRunner().invoke(cli, [], env=environment, prog_name="nomaly")
    assert done.exit_code == 0
    return done.stdout.split()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("nomaly events show site 00000000000002", [WRENCH]),
        ("nomaly events why site/gate ", ["00000000000001-abc", CAT]),
        ("nomaly feedback normal site/hall 00000000000002", [WRENCH]),
        ("nomaly events keep site 00000000000002-abc 00000000000000", [CAT]),
        ("nomaly events list site --camera ", ["gate", "hall"]),
        ("nomaly events list site --camera h", ["hall"]),
        ("nomaly scenario show y", ["yard"]),
        ("nomaly audit --scenario air", ["airbus"]),
    ],
)
def test_what_is_there_is_proposed(places: Path, typed: str, found: list[str]):
    assert proposed(typed, places) == found


def test_nothing_is_proposed_where_nothing_can_be_read(places: Path):
    assert proposed("nomaly events show nowhere 0", places) == []
    assert proposed("nomaly events show broken 0", places) == []


def test_no_heavy_library_is_imported_to_propose():
    code = (
        "import sys\n"
        "import app.cli\n"
        "assert not {'torch', 'numpy', 'cv2', 'av', 'pydantic'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
