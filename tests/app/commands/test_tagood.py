"""`nomaly train tagood` and its score, as scripts and newcomers meet them."""

import json
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data
from typer.testing import CliRunner, Result

from app.cli import cli
from app.errors import UsageError
from app.private import is_private
from calibration import ranking
from novic.tagood.files import load_tagood
from novic.tagood.released import read_released
from novic.tagood.token_files import write_tokens
from scenarios.wordnet import WordNet
from tests.app.short_watch import start_nomaly
from tests.novic.tagood.samples import pictures
from tests.once import made_once
from tests.peers.consumer import wait_for
from training.step import TrainingError

QUICK = ("--epochs", "2", "--batch", "8")


def train(*words: str | Path) -> Result:
    """The command in this process; its errors are `Result.exception`."""
    return CliRunner().invoke(cli, ["train", "tagood", *map(str, words)])


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    folder = tmp_path / "tokens"
    for number, (one, label) in enumerate(zip(*pictures(12), strict=True)):
        write_tokens(folder / f"n0{label}" / f"{number}.pt", one)
    return folder


def test_extracted_tokens_are_trained_on_and_told(tokens: Path, tmp_path: Path):
    out, released = tmp_path / "out", tmp_path / "checkpoint_2.pth"
    done = train("--tokens", tokens, *QUICK, "--released", released, "--out", out, "--json")
    assert done.exit_code == 0, done.exception
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["tagood"], told["source"], told["classes"]) == (str(out), "files", 3)
    assert (told["images"], told["tagged"]) == (12, 12)
    assert is_private(out)
    saved = load_tagood(out)
    assert saved.classes == ("n00", "n01", "n02")
    assert saved.metrics["loss"] == told["loss"] < told["first_loss"]
    assert saved.provenance["command"].startswith("nomaly")
    assert saved.provenance["centres"] == "corrected"
    np.testing.assert_array_equal(read_released(released).centres, saved.centres)


def test_it_says_what_became_of_it(tokens: Path, tmp_path: Path):
    done = train("--tokens", tokens, *QUICK, "--one-pass", "--out", tmp_path / "out")
    assert "The loss fell from " in done.stdout
    assert "12 of 12 images have a tag" in done.stdout
    assert f"Wrote {tmp_path / 'out'}." in done.stdout
    assert "A TagOOD of 3 classes on 12 images, tokens of 16" in done.stderr


def test_the_same_command_goes_on_and_another_is_refused(tokens: Path, tmp_path: Path):
    words = ("--tokens", tokens, *QUICK, "--out", tmp_path / "out")
    first = train(*words, "--json").stdout
    assert train(*words, "--json").stdout == first
    other = train(*words, "--centres", "means")
    assert isinstance(other.exception, TrainingError)
    assert "training.centres was 'corrected' and is now 'means'" in str(other.exception)
    (tmp_path / "out" / "notes.txt").write_text("ours")
    assert train(*words, "--centres", "means", "--overwrite").exit_code == 0
    assert (tmp_path / "out" / "notes.txt").read_text() == "ours"


def test_what_is_there_stays_until_there_is_something_to_train_on(tokens: Path, tmp_path: Path):
    words = (*QUICK, "--epochs", "1", "--out", tmp_path / "out")
    assert train("--tokens", tokens, *words).exit_code == 0
    before = load_tagood(tmp_path / "out")
    (tmp_path / "empty").mkdir()
    done = train("--tokens", tmp_path / "empty", *words, "--overwrite")
    assert isinstance(done.exception, UsageError)
    np.testing.assert_array_equal(load_tagood(tmp_path / "out").centres, before.centres)


def test_the_published_settings_can_be_had_and_changed(tokens: Path, tmp_path: Path):
    done = train("--tokens", tokens, "--published", "--epochs", "1", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    how = load_tagood(tmp_path / "out").provenance
    assert (how["epochs"], how["batch_size"], how["learning_rate"]) == (1, 256, 0.01)
    assert how["centres"] == "published"


WRONG: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "give --images or --tokens, one of them"),
    "both": (["--images", ".", "--tokens", "."], "give --images or --tokens, one of them"),
    "mask": (["--images", ".", "--mask", "sky"], "--mask sky: there are text, centre, all"),
    "mask of files": (["--tokens", ".", "--mask", "all"], "--mask: only for --images; leave out"),
    "source of files": (["--tokens", ".", "--source", "starter"], "--source: only for --images"),
    "no tag of files": (["--tokens", ".", "--empty"], "--empty: only for --images"),
    "eyes of files": (
        ["--tokens", ".", "--embedder", "starter", "--model", ".", "--save-tokens", "more"],
        "--model, --embedder, --save-tokens: only for --images; leave out with --tokens",
    ),
    "no folder": (["--tokens", "nowhere"], "nowhere: there is no such file"),
    "centres": (["--tokens", ".", "--centres", "x"], "centres must be one of corrected"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_options_that_do_not_go_together_are_told(fault: str, tmp_path: Path):
    words, said = WRONG[fault]
    done = train(*words, "--out", tmp_path / "out")
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()


@pytest.fixture(autouse=True)
def wordnet_once(wordnet: WordNet, monkeypatch: pytest.MonkeyPatch) -> None:
    """WordNet is read once for all tests: it takes longer than what most of these do."""
    monkeypatch.setattr("training.tagood.tags.read_wordnet", lambda: wordnet)


def write_folders(root: Path) -> None:
    """Pieces of two photographs with their nouns, and of a third."""
    rng = np.random.default_rng(0)
    photos = {"known/cat": data.chelsea(), "known/cup": data.coffee(), "other": data.rocket()}
    for name, photo in photos.items():
        (root / name).mkdir(parents=True)
        for number in range(2):
            y, x = (int(rng.integers(0, size - 150)) for size in photo.shape[:2])
            Image.fromarray(photo[y : y + 150, x : x + 150]).save(root / name / f"{number}.png")


@pytest.mark.slow
def test_pictures_are_trained_on_and_the_score_is_measured(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
):
    few = partial(ranking.measured_all, resamples=20)
    monkeypatch.setattr("app.unknown.measuring.measured_all", few)
    folders = made_once(tmp_path_factory, "tagood", write_folders)
    out, extracted = tmp_path / "out", tmp_path / "extracted"
    words = ("--images", folders / "known", *QUICK, "--save-tokens", extracted)
    done = train(*words, "--out", out, "--json")
    assert done.exit_code == 0, done.exception
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["source"], told["mask"], told["images"]) == ("starter", "centre", 4)
    assert is_private(out)
    saved = load_tagood(out)
    assert saved.classes == ("cat", "cup")
    assert saved.projector.sizes.width == 352
    assert len(list(extracted.glob("*/*.pt"))) == 4
    names = [str(folders / "known"), str(folders / "other"), "--tagood", str(out), "--no-labels"]
    found = CliRunner().invoke(cli, ["evaluate", "ood", *names, "--json"])
    assert found.exit_code == 0, found.exception
    scores = {row["score"]: row for row in json.loads(found.stdout.splitlines()[-1])["scores"]}
    assert 0 <= scores["tagood"]["folders"]["other"]["auroc"]["value"] <= 100


@pytest.mark.slow
def test_ctrl_c_saves(tokens: Path, tmp_path: Path):
    out = tmp_path / "out"
    with start_nomaly(
        "train", "tagood", "--tokens", tokens, "--epochs", "3000", "--out", out
    ) as process:
        log = out / "metrics.jsonl"
        wait_for("first figures", lambda: log.is_file() and log.stat().st_size > 0, 120)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "nomaly: stopped after step" in said
    assert "the same command goes on" in said
    assert len(list((out / "work").glob("checkpoint-*"))) == 1
