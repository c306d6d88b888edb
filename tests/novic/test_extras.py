"""Remedies for packages that are not installed work from where Nomaly runs."""

import json
import os
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from PIL import Image

from novic.extras import EXTRA_OF, MissingPackageError, how_to_install, needing
from tests.app.short_watch import NOMALY

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def normal(name: str) -> str:
    return name.lower().replace("_", "-")


def asked_for(extra: str) -> set[str]:
    """Distributions that an extra asks for."""
    return {normal(one.split("=")[0].split(">")[0].split("<")[0]) for one in EXTRAS[extra]}


def test_every_package_of_every_extra_is_mapped_to_an_extra_that_brings_it():
    brought_by = packages_distributions()
    for package, extra in EXTRA_OF.items():
        assert {normal(name) for name in brought_by[package]} & asked_for(extra), package
    known = {normal(name) for package in EXTRA_OF for name in brought_by[package]}
    for extra in EXTRAS:
        assert asked_for(extra) <= known, extra


def test_the_remedy_installs_into_this_environment_from_any_folder():
    words = shlex.split(how_to_install("openai"))
    assert os.access(words[0], os.X_OK)
    folder, _, extra = words[-1].partition("[")
    assert Path(folder, "pyproject.toml").is_file()
    assert extra == "llm]"
    assert words[-2] == "-e"
    assert sys.executable in words


def test_without_the_source_the_remedy_names_the_packages_themselves(tmp_path: Path):
    facts = tmp_path / "nomaly-9.9.dist-info" / "METADATA"
    facts.parent.mkdir()
    facts.write_text(
        "Metadata-Version: 2.1\nName: nomaly\nVersion: 9.9\n"
        "Requires-Dist: openai>=3; extra == 'llm'\n"
        "Requires-Dist: tiktoken<9,>=0.9; extra == 'llm'\n"
        "Requires-Dist: torch>=2.13\nRequires-Dist: wordfreq; extra == 'train'\n"
    )
    code = "from novic.extras import how_to_install; print(how_to_install('tiktoken'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shlex.split(done.stdout)[-2:] == ["openai>=3", "tiktoken<9,>=0.9"]
    assert "nomaly" not in done.stdout.replace(str(ROOT), "").replace(sys.prefix, "")


def import_inside() -> None:
    with needing("the demo"):
        import_module("absent_one.part")


def test_only_missing_packages_are_told_as_such():
    with pytest.raises(MissingPackageError, match="the demo needs the package absent_one, which"):
        import_inside()
    with pytest.raises(ValueError, match="other"), needing("the demo"):
        raise ValueError("other")


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ("openai", ["annotate", "llm", "photos", "found.json", "--model", "gpt-4o"]),
        ("wordfreq", ["scenario", "dictionary", "build", "--out", "nouns.json"]),
    ],
)
def test_no_command_ends_with_a_raw_import_error(tmp_path: Path, package: str, words: list[str]):
    raising = f"raise ModuleNotFoundError(\"No module named '{package}'\", name='{package}')"
    (tmp_path / f"{package}.py").write_text(raising)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a.png")
    answers = {"beam": {"pred": [["apple"]]}}
    found = {"version": 1, "samples": ["a.png"], "predictions": answers}
    (tmp_path / "found.json").write_text(json.dumps(found))
    done = subprocess.run(
        [NOMALY, *words],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
            "OPENAI_API_KEY": "none",
            "NOMALY_HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert f"the package {package}" in done.stderr
    assert "pip install" in done.stderr
    assert "unexpected" not in done.stderr
