"""The command as scripts and newcomers meet it."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from tests.app.short_watch import NOMALY, run_nomaly


def test_help_needs_no_heavy_library():
    code = (
        "import sys; sys.argv = ['nomaly', '--help']\n"
        "from app.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'anomalib', 'cv2', 'av', 'openvino'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


def test_reading_events_and_feeding_sinks_needs_no_heavy_library():
    code = (
        "import sys\n"
        "import app.events.store, app.events.outputs, app.report.page, app.sinks.feeder\n"
        "heavy = {'torch', 'anomalib', 'timm', 'cv2', 'av', 'openvino'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["demo", "audit", "watch", "name", "fit", "train"])
def test_every_command_has_help_with_an_example(command: str):
    done = run_nomaly(command, "--help")
    assert done.returncode == 0
    assert f"nomaly {command}" in done.stdout.split("Example")[1]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(data.chelsea()).save(folder / "cat.jpg")
    Image.fromarray(data.coffee()).save(folder / "coffee.png")
    (folder / "broken.jpg").write_text("not a picture")
    return folder


@pytest.mark.slow
def test_images_are_named_and_broken_ones_told(pictures: Path):
    done = run_nomaly("name", pictures, "--json", "--top", "3")
    assert done.returncode == 1
    named = {Path(entry["path"]).name: entry for entry in json.loads(done.stdout.splitlines()[-1])}
    assert named["broken.jpg"]["error"] == "is not an image that can be read"
    assert any("cat" in noun for noun, _ in named["cat.jpg"]["nouns"])
    assert {"espresso", "coffee", "cup"} & {noun for noun, _ in named["coffee.png"]["nouns"]}
    for name in ("cat.jpg", "coffee.png"):
        nouns = named[name]["nouns"]
        assert len(nouns) == 3
        assert nouns == sorted(nouns, key=lambda pair: -pair[1])
        assert all(0 <= p <= 1 for _, p in nouns)


@pytest.mark.slow
def test_names_as_csv_and_as_a_table(pictures: Path):
    done = run_nomaly("name", pictures, "--csv", "--top", "2")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["rank"] for row in rows if row["path"].endswith("cat.jpg")] == ["1", "2"]
    assert [row["error"] for row in rows if row["path"].endswith("broken.jpg")] != [""]
    table = run_nomaly("name", pictures / "cat.jpg")
    assert table.returncode == 0
    path, noun, p, others = table.stdout.rstrip("\n").split("\t")
    assert path == str(pictures / "cat.jpg")
    assert "cat" in noun
    assert p.endswith("%")
    assert 4 <= others.count("%") <= 5  # a noun besides the headline, or all behind a kind


@pytest.mark.slow
def test_an_image_comes_through_a_pipe(pictures: Path):
    done = subprocess.run(
        [NOMALY, "name", "-", "--json"],
        input=(pictures / "cat.jpg").read_bytes(),
        capture_output=True,
        check=False,
    )
    (entry,) = json.loads(done.stdout.splitlines()[-1])
    assert entry["path"] == "-"
    assert any("cat" in noun for noun, _ in entry["nouns"])


def test_nothing_to_name_is_a_usage_error(tmp_path: Path):
    done = run_nomaly("name", tmp_path)
    assert done.returncode == 2
    assert "there are no images" in done.stderr


def test_a_missing_model_is_exit_code_4(tmp_path: Path):
    Image.fromarray(data.coffee()).save(tmp_path / "cup.png")
    done = run_nomaly("name", tmp_path, "--model", tmp_path / "none")
    assert done.returncode == 4
    assert "there is no bundle or checkpoint here" in done.stderr
    assert "Traceback" not in done.stderr
    shown = run_nomaly("name", tmp_path, "--model", tmp_path / "none", "--debug")
    assert "Traceback" in shown.stderr


def test_a_fault_in_an_unknown_preset_is_told(tmp_path: Path):
    done = run_nomaly("train", "--preset", "moon", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "there is no such preset; use starter" in done.stderr


def test_the_demo_leaves_other_folders_alone(tmp_path: Path):
    (tmp_path / "watch.mp4").write_text("precious")
    done = run_nomaly("demo", "--out", tmp_path)
    assert done.returncode == 2
    assert "holds other files" in done.stderr
    (tmp_path / "truth.json").write_text('{"seed": 4}')
    other = run_nomaly("demo", "--out", tmp_path, "--seed", "5")
    assert other.returncode == 2
    assert "holds the demo of seed 4" in other.stderr
    assert (tmp_path / "watch.mp4").read_text() == "precious"


ODD = b"caf\xe9.png".decode(errors="surrogateescape")
"""A name that is not UTF-8."""


@pytest.fixture(scope="module")
def oddly_named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    for name in ("good.png", ODD):
        Image.fromarray(data.chelsea()).save(folder / name, "png")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "encoding"),
    [("--json", "ascii:strict"), ("--csv", "utf-8:strict"), ("--top=1", "utf-8:surrogateescape")],
)
def test_a_name_that_is_not_utf_8_is_told_escaped(
    oddly_named: Path, form: str, encoding: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    done = run_nomaly("name", oddly_named, "--quiet", form)
    assert (done.returncode, done.stderr) == (0, "")
    assert "caf\\udce9.png" in done.stdout
    if form == "--json":
        names = {Path(entry["path"]).name for entry in json.loads(done.stdout)}
        assert names == {"good.png", ODD}
