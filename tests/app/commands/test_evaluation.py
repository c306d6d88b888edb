"""`nomaly evaluate` and `nomaly score` on real pictures with the model that Nomaly ships."""

import csv
import io
import json
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from app import cli
from app.commands.evaluation import _cells
from novic.intervals import Estimate
from tests.app.short_watch import start_nomaly
from training.evaluation.annotations import HUMAN_FILE, Annotations, write_annotations
from training.evaluation.predictions import read_predictions
from training.evaluation.tables import ResultTable

STAMPS = Path("/usr/share/tuxpaint/stamps/animals")
ANIMALS = {
    "frog": "amphibians/frog.png",
    "ostrich": "birds/ostrich.png",
    "elephant": "mammals/elephant.png",
    "koala": "marsupials/koala.png",
    "lobster": "fish/lobster.png",
    "penguin": "birds/penguin.png",
}


@dataclass(frozen=True)
class Done:
    """What a command that ended left behind."""

    returncode: int
    stdout: str
    stderr: str


type Run = Callable[..., Done]


@pytest.fixture
def nomaly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process, which has loaded torch already."""

    def run(*words: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["nomaly", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli._run()
        code = ended.value.code
        said = capsys.readouterr()
        return Done(code if isinstance(code, int) else 0, said.out, said.err)

    return run


needs_stamps = pytest.mark.skipif(
    not STAMPS.is_dir(),
    reason=f"no photographs in {STAMPS} (Debian package tuxpaint-stamps-default)",
)


@pytest.fixture(scope="module")
def animals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of photographs, one of them broken."""
    root = tmp_path_factory.mktemp("sets") / "animals"
    for name, file in ANIMALS.items():
        (root / name).mkdir(parents=True)
        shutil.copy(STAMPS / file, root / name / Path(file).name)
    (root / "frog" / "broken.png").write_text("no picture")
    return root


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flat folder of photographs, as OVIC's."""
    root = tmp_path_factory.mktemp("photos")
    Image.fromarray(data.chelsea()).save(root / "cat.jpg")
    Image.fromarray(data.coffee()).save(root / "coffee.jpg")
    Image.fromarray(data.rocket()).save(root / "rocket.jpg")
    return root


@pytest.fixture(scope="module")
def closed(animals: Path) -> Path:
    """Where the first test leaves the predictions of class-guided decoding."""
    return animals.with_name("closed.json")


@needs_stamps
@pytest.mark.slow
def test_class_folders_are_evaluated(animals: Path, closed: Path, nomaly: Run):
    words = ("evaluate", animals, "--out", closed, "-g", "beam_k5")
    done = nomaly(*words, "--direct-guided", "--json")
    assert done.returncode == 0, done.stderr
    assert "frog/broken.png: is not an image that can be read; left out" in done.stderr
    (told,) = json.loads(done.stdout.splitlines()[-1])["evaluated"]
    assert told["images"] == len(ANIMALS)
    assert told["broken"] == {"frog/broken.png": "is not an image that can be read"}
    beam, direct, guided = told["scores"]
    assert beam["correct"][0]["value"] >= 80
    assert beam["correct"][0]["low"] <= beam["correct"][0]["value"] <= beam["correct"][0]["high"]
    assert sum(told["direct_guided"].values()) == len(ANIMALS)
    right = sum(n for key, n in told["direct_guided"].items() if key.endswith("guided_correct"))
    assert guided["correct"][0]["value"] == pytest.approx(100 * right / len(ANIMALS), abs=1e-3)
    assert direct["gencfg"] == "greedy_k1_vnone_gn_t1_a0"

    predictions = read_predictions(closed)
    assert sorted(predictions.guide_targets) == sorted(ANIMALS)
    assert len(predictions.vocab_targets) > 7000
    assert predictions.nomaly["classes"] == sorted(ANIMALS)
    names = predictions.answers["beam_k5_vnone_gp_t1_a0"]
    assert all(set(row) <= set(ANIMALS) for row in names.nouns)
    assert all(row == sorted(row, reverse=True) for row in names.scores)
    assert not closed.with_name("closed.json.part").exists()

    again = nomaly(*words, "--direct-guided")
    assert again.returncode == 0
    assert "was done before" in again.stderr
    other = nomaly(*words)
    assert other.returncode == 2
    assert "exists already, of another evaluation" in other.stderr


@needs_stamps
@pytest.mark.slow
def test_two_ways_are_compared(animals: Path, closed: Path, tmp_path: Path, nomaly: Run):
    if not closed.exists():
        nomaly("evaluate", animals, "--out", closed, "-g", "beam_k5", "--direct-guided")
    opened = tmp_path / "open.json"
    done = nomaly("evaluate", animals, "--out", opened, "--guide", "vocabulary")
    assert done.returncode == 0, done.stderr
    assert "top 10" in done.stdout
    assert f"nomaly score {opened}" in done.stdout
    table = nomaly("score", closed, opened)
    assert table.returncode == 0, table.stderr
    assert "vs first" in table.stdout
    assert "direct correct  guided correct" in table.stdout
    rows = list(csv.DictReader(io.StringIO(nomaly("score", closed, opened, "--csv").stdout)))
    assert [row["model"] for row in rows] == ["closed", "closed", "closed", "open"]
    scores = json.loads(nomaly("score", closed, opened, "--json").stdout)["scores"]
    for row, score in zip(rows, scores, strict=True):
        assert float(row["top 1"]) == pytest.approx(score["correct"][0]["value"], abs=1e-3)
    gain = scores[3]["correct"][0]["value"] - scores[0]["correct"][0]["value"]
    assert scores[3]["vs_first"]["value"] == pytest.approx(gain, abs=1e-3)
    latex = nomaly("score", closed, opened, "--latex").stdout
    assert r"\mathbf{" in latex
    assert latex.count("\\\\") == 5


@pytest.mark.slow
def test_a_flat_folder_is_scored_by_its_annotations(photos: Path, tmp_path: Path, nomaly: Run):
    out = tmp_path / "photos.json"
    done = nomaly("evaluate", photos, "--out", out, "-g", "beam_k5")
    assert done.returncode == 0, done.stderr
    assert f"Next: nomaly score {out} --annotations FOLDER" in done.stdout
    unscored = nomaly("score", out)
    assert unscored.returncode == 1
    assert "its images have no classes; say what is right with --annotations" in unscored.stderr

    predictions = read_predictions(out)
    (answers,) = predictions.answers.values()
    said = dict(zip(predictions.samples, answers.nouns, strict=True))
    assert "cat" in " ".join(said["cat.jpg"])
    judged = Annotations()
    judged.judge("cat.jpg", said["cat.jpg"][0], "correct_primary")
    judged.judge("coffee.jpg", said["coffee.jpg"][0], "close_secondary")
    judged.judge("coffee.jpg", said["coffee.jpg"][1], "correct_secondary")
    write_annotations(photos / HUMAN_FILE, judged)

    scored = nomaly("score", out, "--annotations", photos, "--json")
    assert scored.returncode == 0, scored.stderr
    assert (
        f"1 first nouns are not judged and count as wrong ('{said['rocket.jpg'][0]}' of rocket"
        in (scored.stderr)
    )
    (row,) = json.loads(scored.stdout.splitlines()[-1])["scores"]
    assert (row["images"], row["unjudged"], row["used"], row["overall"]) == (3, 1, 3, None)
    first, second = row["prediction"][:2]
    assert first["as_zero"]["value"] == pytest.approx(100 * (1 + 0.4) / 3, abs=1e-3)
    assert (first["judged_only"]["value"], first["judged_only"]["images"]) == (70, 2)
    assert second["as_zero"]["value"] == pytest.approx(100 * (1 + 0.8) / 3, abs=1e-3)
    assert second["judged_only"]["value"] == 80
    assert row["primary"]["judged_only"]["value"] == 50

    (tmp_path / "specificity.json").write_text(json.dumps({said["cat.jpg"][0]: 0.5}))
    words = ("--annotations", photos, "--specificity", tmp_path / "specificity.json")
    overall = nomaly("score", out, *words)
    assert "2 nouns have no specificity and count 0 in the overall score" in overall.stderr
    assert overall.stdout.split()[-1] == "0.0-50.0"


@needs_stamps
@pytest.mark.slow
def test_ctrl_c_saves_and_the_same_command_goes_on(animals: Path, tmp_path: Path, nomaly: Run):
    images = tmp_path / "many"
    for name, file in ANIMALS.items():
        (images / name).mkdir(parents=True)
        for number in range(5):
            shutil.copy(STAMPS / file, images / name / f"{number}.png")
    out, journal = tmp_path / "many.json", tmp_path / "many.json.part"
    words = ("evaluate", images, "--out", out, "--batch", "1", "-g", "greedy_gp")
    with start_nomaly(*words) as running:
        while not (journal.exists() and journal.read_bytes().count(b"\n") > 3):
            assert running.poll() is None, running.communicate()
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "of 30 images of many; the same command goes on from there" in said
    assert not out.exists()
    before = journal.read_bytes().splitlines()
    assert 3 < len(before) < 31

    done = nomaly(*words)
    assert done.returncode == 0, done.stderr
    assert not journal.exists()
    found = read_predictions(out)
    assert len(found.samples) == 30
    (answers,) = found.answers.values()
    nouns = dict(zip(found.samples, answers.nouns, strict=True))
    for row in map(json.loads, before[1:]):
        assert nouns[row["image"]] == [row["answers"]["greedy_k1_vnone_gp_t1_a0"][0][0]]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("evaluate", "no-such-folder"), 2, "no-such-folder: there is no such folder; benchmarks"),
        (("evaluate", "cifar10"), 1, "cifar10: say where it lies, --root FOLDER"),
        (("evaluate", ".", "--split", "test"), 2, "--split test: use train, valid, all"),
        (("evaluate", ".", "-g", "beam_q"), 2, "cannot read the part 'q'"),
        (("evaluate", ".", "--guide", "no-such-file"), 2, "--guide no-such-file: cannot be read"),
        (("evaluate", "./no-such-folder"), 2, "no-such-folder: there is no such folder"),
        (("score", "no-such-file.json"), 2, "no-such-file.json: there is no such file"),
        (("score", ".", "--json", "--csv"), 2, "choose one of --json, --csv and --latex"),
        (("score", ".", "--specificity", "y"), 2, "--specificity needs --annotations"),
        (("score", ".", "--annotations", "."), 1, "holds neither _class_annotations.json nor"),
    ],
)
def test_faults_are_one_sentence(words: tuple[str, ...], code: int, told: str, nomaly: Run):
    done = nomaly(*words)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_two_sets_need_a_folder(tmp_path: Path, nomaly: Run):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(data.chelsea()[:20, :20]).save(tmp_path / name / "1.jpg")
    done = nomaly("evaluate", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "x.json")
    assert done.returncode == 2
    assert "is one file for 2 data sets; name a folder" in done.stderr


def test_the_strategy_stands_below_the_model_and_the_best_is_bold():
    best, other = Estimate(0.9, 0.8, 1.0, 9), Estimate(0.5, 0.4, 0.6, 9)
    rows = [["a", "beam_k5", 9, best], ["a", "greedy", 9, other]]
    table = ResultTable(["model", "gencfg", "images", "top 1"], rows)  # type: ignore[arg-type]
    assert _cells(table)[1:] == [
        ["a\n[dim]beam_k5[/dim]", "9", "[bold]90.00[/bold]\n[dim]80.0-100.0[/dim]"],
        ["a\n[dim]greedy[/dim]", "9", "50.00\n[dim]40.0-60.0[/dim]"],
    ]
