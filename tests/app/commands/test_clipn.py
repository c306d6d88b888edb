"""`nomaly train clipn`, as scripts and newcomers meet it."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from app.cli import cli
from app.errors import UsageError
from app.private import is_private
from novic.clipn.errors import ClipnError
from novic.clipn.files import load_clipn, read_card
from novic.clipn.released import load_released
from novic.clipn.tower import NoTextTower
from novic.embedder import Embedder
from scenarios.wordnet import WordNet
from tests.app.short_watch import start_nomaly
from tests.novic.clipn.known import small_openclip
from tests.peers.consumer import wait_for
from tests.training.hashed import HashedEmbedder
from training.step import TrainingError

QUICK = ("--steps", "12", "--lr", "0.003", "--hidden", "32")


def train(*words: str | Path) -> Result:
    """The command in this process; its errors are `Result.exception`."""
    return CliRunner().invoke(cli, ["train", "clipn", *map(str, words)])


@pytest.fixture(autouse=True)
def wordnet_once(wordnet: WordNet, monkeypatch: pytest.MonkeyPatch) -> None:
    """WordNet is read once for all tests: it takes longer than what most of these do."""
    monkeypatch.setattr("training.clipn.making.read_wordnet", lambda: wordnet)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> HashedEmbedder:
    """What the command builds for any spec."""
    embedder = HashedEmbedder(width=24)

    def build(*_: object) -> Embedder:
        return embedder

    monkeypatch.setattr("novic.model.build_embedder", build)
    return embedder


@pytest.fixture
def nouns(tmp_path: Path) -> Path:
    file = tmp_path / "nouns.txt"
    file.write_text("dog\nanimal\ncup\nteapot\nhat\nbus\n")
    return file


def pictures(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("cup/1.png", "cup/2.png", "dog/1.png", "bus/1.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(folder / name)
    return folder


def test_a_head_is_trained_on_nouns_and_told(hashed: HashedEmbedder, nouns: Path, tmp_path: Path):
    out = tmp_path / "out"
    done = train("--nouns", nouns, *QUICK, "--out", out, "--json")
    assert done.exit_code == 0, done.exception
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["clipn"], told["kind"], told["texts"], told["images"]) == (str(out), "head", 6, 0)
    assert told["first_loss"] == pytest.approx(1.688147, abs=1e-5)
    assert told["loss"] < told["first_loss"]
    assert is_private(out)
    saved = load_clipn(out, hashed)
    assert saved.scale == told["scale"] == 20
    assert saved.provenance["command"].startswith("nomaly")
    assert saved.provenance["most_noise"] == 1
    assert saved.metrics["loss"] == told["loss"]
    assert saved.centre is not None


def test_it_says_what_became_of_it(hashed: HashedEmbedder, nouns: Path, tmp_path: Path):
    done = train("--nouns", nouns, *QUICK, "--out", tmp_path / "out")
    assert "The loss fell from 1.688 to " in done.stdout
    assert f"Wrote {tmp_path / 'out'}." in done.stdout


def test_the_same_command_goes_on_and_another_is_refused(
    hashed: HashedEmbedder, nouns: Path, tmp_path: Path
):
    words = ("--nouns", nouns, *QUICK, "--out", tmp_path / "out")
    first = train(*words, "--json").stdout
    assert train(*words, "--json").stdout == first
    other = train(*words, "--scale", "10")
    assert isinstance(other.exception, TrainingError)
    assert "training.scale was 20.0 and is now 10.0" in str(other.exception)
    (tmp_path / "out" / "notes.txt").write_text("ours")
    assert train(*words, "--scale", "10", "--overwrite").exit_code == 0
    assert (tmp_path / "out" / "notes.txt").read_text() == "ours"


def test_a_head_is_trained_on_images(hashed: HashedEmbedder, tmp_path: Path):
    folder = pictures(tmp_path / "pictures")
    (folder / "bus" / "2.png").write_text("no picture")
    done = train("--images", folder, *QUICK, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.exception
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["texts"], told["images"]) == (3, 4)
    assert read_card(tmp_path / "out")["provenance"]["most_noise"] == 0
    assert "2.png: is not an image that can be read; left out" in done.stderr


def test_the_shipped_nouns_are_the_default(hashed: HashedEmbedder, tmp_path: Path):
    done = train("--steps", "1", "--hidden", "8", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.exception
    assert json.loads(done.stdout.splitlines()[-1])["texts"] > 5000


def test_a_tower_is_trained_on_captions(tmp_path: Path):
    embedder = small_openclip(tmp_path / "model")
    folder = pictures(tmp_path / "pictures")
    lines = [f"{file}\ta photo of a {file.parent.name}" for file in sorted(folder.rglob("*.png"))]
    (tmp_path / "pairs.tsv").write_text("\n".join(lines))
    released, out = tmp_path / "epoch_1.pt", tmp_path / "out"
    words = ("--embedder", embedder.spec, "--pairs", tmp_path / "pairs.tsv", "--steps", "2")
    done = train(*words, "--released", released, "--out", out, "--json")
    assert done.exit_code == 0, done.exception
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["kind"], told["texts"], told["images"]) == ("tower", 3, 4)
    assert told["scale"] == pytest.approx(float(embedder.clip.logit_scale.detach().exp()))
    saved = load_clipn(out, embedder)
    other = small_openclip(tmp_path / "other", seed=3)
    ids = embedder.tokenise(["a cup"])
    tower = load_released(released, other.clip)
    np.testing.assert_array_equal(tower(ids).detach(), saved.module(ids).detach())


def test_the_hand_crafted_variant_has_no_prompts(nouns: Path, tmp_path: Path):
    embedder = small_openclip(tmp_path / "model")
    words = ("--embedder", embedder.spec, "--nouns", nouns, "--steps", "1", "--out", tmp_path / "o")
    assert train(*words, "--hand-crafted").exit_code == 0
    saved = load_clipn(tmp_path / "o", embedder)
    assert isinstance(saved.module, NoTextTower)
    assert not saved.module.learnable
    done = train(*words, "--on-vectors", "--overwrite")
    assert done.exit_code == 0, done.exception
    assert read_card(tmp_path / "o")["kind"] == "head"


WRONG: dict[str, tuple[Callable[[Path], list[str | Path]], str]] = {
    "two places": (lambda at: ["--nouns", at, "--images", at.parent], "give one of them"),
    "crafted head": (lambda at: ["--hand-crafted"], "are for the text tower of an openclip"),
    "released head": (lambda at: ["--released", "x.pt"], "are for the text tower of an openclip"),
    "no file": (lambda at: ["--nouns", at.with_name("none")], "there is no such file"),
    "scale": (lambda at: ["--nouns", at, "--scale", "-1"], "scale must be above 0"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_options_that_do_not_go_together_are_told(
    fault: str, hashed: HashedEmbedder, nouns: Path, tmp_path: Path
):
    words, said = WRONG[fault]
    done = train(*words(nouns), "--out", tmp_path / "out")
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_an_embedder_without_such_a_tower_is_told(
    hashed: HashedEmbedder, nouns: Path, tmp_path: Path
):
    done = train("--embedder", "openclip:any", "--nouns", nouns, "--out", tmp_path / "out")
    assert isinstance(done.exception, ClipnError)
    assert "embedder 'hashed' has no text tower that can be trained" in str(done.exception)


@pytest.mark.slow
def test_ctrl_c_saves(nouns: Path, tmp_path: Path):
    out = tmp_path / "out"
    words = ("train", "clipn", "--nouns", nouns, "--hidden", "16", "--steps", "10000")
    with start_nomaly(*words, "--out", out) as process:
        log = out / "metrics.jsonl"
        wait_for("first figures", lambda: log.is_file() and log.stat().st_size > 0, 120)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "nomaly: stopped after step" in said
    assert "the same command goes on" in said
    assert len(list((out / "work").glob("checkpoint-*"))) == 1
