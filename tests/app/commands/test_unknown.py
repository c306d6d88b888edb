"""`nomaly evaluate ood` on pieces of photographs, with the model that Nomaly ships."""

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from app import cli
from app.commands.unknown import _print
from app.private import is_private
from app.stop import Stop
from app.unknown.keeping import Learned, keep
from app.unknown.measuring import Measured
from app.unknown.request import OodRequest, OodResult
from calibration import ranking
from novic.bundle import load_bundle, save_bundle
from novic.model import starter_bundle_path
from novic.tokens import NounTokens
from scenarios.wordnet import WordNet
from tests.novic.clips import clip_config, save_model
from tests.once import made_once

PIECES = 6
SIDE = 150


@dataclass(frozen=True)
class Done:
    """What a command that ended left behind."""

    returncode: int
    stdout: str
    stderr: str


type Run = Callable[..., Done]


@pytest.fixture(autouse=True)
def wordnet_once(wordnet: WordNet, monkeypatch: pytest.MonkeyPatch) -> None:
    """WordNet is read once for all tests: it takes longer than what most of these do."""
    monkeypatch.setattr("app.unknown.site.read_wordnet", lambda: wordnet)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "ood-cache", lambda _: None)


@pytest.fixture(autouse=True)
def own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors of nouns are not put into the cache of who runs the tests."""
    monkeypatch.setattr("app.unknown.run.cache_folder", lambda: cache)


@pytest.fixture
def nomaly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process, which has loaded torch already."""

    monkeypatch.setattr(
        "app.unknown.measuring.measured_all", partial(ranking.measured_all, resamples=30)
    )

    def run(*words: str | Path) -> Done:
        monkeypatch.setattr(sys, "argv", ["nomaly", "evaluate", "ood", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli._run()
        code = ended.value.code
        said = capsys.readouterr()
        return Done(code if isinstance(code, int) else 0, said.out, said.err)

    return run


def write_pieces(folder: Path, photo: np.ndarray, count: int, seed: int) -> None:
    """Square pieces of a photograph."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        y, x = (int(rng.integers(0, size - SIDE)) for size in photo.shape[:2])
        Image.fromarray(photo[y : y + SIDE, x : x + SIDE]).save(folder / f"{number:02}.png")


def write_folders(root: Path) -> None:
    """Known: pieces of a cat and a cup; foreign: of a rocket, a brick wall, a face."""
    write_pieces(root / "known" / "cat", data.chelsea(), PIECES, 0)
    write_pieces(root / "known" / "coffee", data.coffee(), PIECES, 1)
    write_pieces(root / "rocket", data.rocket(), PIECES, 2)
    write_pieces(root / "bricks", np.repeat(data.brick()[..., None], 3, axis=2), PIECES, 3)
    write_pieces(root / "faces", data.astronaut(), PIECES, 4)
    (root / "rocket" / "broken.png").write_text("no picture")
    (root / "rocket" / "notes.txt").write_text("launch")
    (root / "nouns.txt").write_text("cat\ncup  # and what is in it\n")
    whole = load_bundle(starter_bundle_path())
    tokens = whole.tokens
    # Few of the nouns, of which the longest have to be some: all take a minute to embed.
    rows = np.union1d(np.arange(0, len(tokens.nouns), 150), np.flatnonzero(tokens.tokens[:, -2]))
    nouns = NounTokens(
        tuple(tokens.nouns[row] for row in rows), tokens.tokens[rows], tokens.source_ids
    )
    save_bundle(root / "model", replace(whole, tokens=nouns, hypernyms={}, frequencies=None))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "ood", write_folders)


@pytest.mark.slow
def test_scores_are_measured_and_written(folders: Path, tmp_path: Path, nomaly: Run, cache: Path):
    words = folders / "known", folders / "rocket", folders / "bricks", "--model", folders / "model"
    done = nomaly(*words, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert "rocket: left out: 1 .txt" in done.stderr
    assert "broken.png: is not an image that can be read; left out" in done.stderr
    told = json.loads(done.stdout)
    assert told["fitted_pictures"] == told["known_pictures"] == PIECES
    assert told["classes"] == told["nouns"] == ["cat", "coffee"]
    assert told["folders"] == {"rocket": PIECES, "bricks": PIECES}
    assert list(told["broken"]) == [str(folders / "rocket" / "broken.png")]
    figures = {row["score"]: row["folders"] for row in told["scores"]}
    assert {"energy", "vim", "rmd", "mcm", "neglabel", "dictionary_mass"} <= set(figures)
    assert figures["mahalanobis_pp"]["rocket"]["auroc"]["value"] > 80
    for of_folder in figures["knn"].values():
        assert set(of_folder) == {"auroc", "aupr_out", "aupr_in", "fpr_at_id95", "fpr_at_ood95"}
        assert all(e["low"] <= e["value"] <= e["high"] for e in of_folder.values())
    assert told["left_out"]["gl_mcm"].startswith("needs vectors of patches")
    assert told["left_out"]["fisher"].startswith("needs 100 pictures or more")

    rows = list(csv.DictReader((tmp_path / "out" / "scores.csv").read_text().splitlines()))
    assert len(rows) == 2 * len(told["scores"])
    assert (tmp_path / "out" / "auroc.svg").is_file()
    assert is_private(tmp_path / "out")
    assert [file.suffix for file in (cache / "texts").iterdir()] == [".vectors"]
    again = nomaly(*words, "--out", tmp_path / "out")
    assert again.returncode == 2
    assert "holds an earlier evaluation" in again.stderr


@pytest.mark.slow
def test_another_folder_is_fitted_on_and_a_table_is_shown(folders: Path, nomaly: Run):
    words = folders / "faces", folders / "bricks", "--fit", folders / "known" / "cat"
    done = nomaly(*words, "--nouns", folders / "nouns.txt", "--model", folders / "model", "-q")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert " ".join(lines[1].split()) == "score AUROC AUPR FPR at ID95 FPR at OOD95"
    scores = [line.split()[0] for line in lines[2:] if line[:1].isalpha()]
    assert scores[:2] == ["knn", "mahalanobis_pp"]
    assert f"Fitted on {folders / 'known' / 'cat'} ({PIECES} pictures); without labels." in lines
    assert f"Measured on {PIECES} other known pictures against {PIECES} of bricks" in done.stdout
    without = "msp, max_logit, energy, entropy, gen, rmd, vim"
    left_out = [line for line in lines if line.startswith(f"Left out: {without}")]
    assert [line.split(": ")[-1] for line in left_out] == [
        "needs labels, which these pictures do not have"
    ]
    assert done.stderr == ""


def write_clip(folder: Path) -> None:
    """A small CLIP with random weights, as wide as the decoder reads."""
    config = clip_config(42, "shortest", quick=True)
    config["model_cfg"]["embed_dim"] = 384
    save_model(folder, config)


@pytest.mark.slow
def test_kept_scores_measure_the_same_without_what_they_were_fitted_on(
    folders: Path, tmp_path: Path, nomaly: Run
):
    write_clip(tmp_path / "clip")
    known, kept = folders / "known", tmp_path / "kept"
    words = known, folders / "rocket", "--model", folders / "model", "--json"
    clip = "--embedder", f"openclip:{tmp_path / 'clip'}"
    done = nomaly(*words, *clip, "--keep", kept)
    assert done.returncode == 0, done.stderr
    before = json.loads(done.stdout)
    names = [row["score"] for row in before["scores"]]
    assert {"gl_mcm", "mcm", "neglabel", "vim", "knn", "dictionary_mass"} <= set(names)
    again = nomaly(*words, *clip, "--fitted", kept)
    assert again.returncode == 0, again.stderr
    after = json.loads(again.stdout)
    assert f"left out: {PIECES} pictures that the scores were fitted on" in again.stderr
    assert after["scores"] == before["scores"]
    for key in ("classes", "nouns", "fitted_pictures", "known_pictures", "folders"):
        assert after[key] == before[key]
    assert after["fitted_on"] == str(kept)

    other = nomaly(*words, "--fitted", kept)
    assert other.returncode == 1
    assert "were fitted with embedder clip@" in other.stderr
    assert "here it is starter; use the same, or" in other.stderr
    taken = nomaly(*words, "--keep", kept)
    assert f"--keep {kept}: holds an earlier evaluation" in taken.stderr


@pytest.mark.slow
def test_ctrl_c_ends_it_with_a_sentence(
    folders: Path, nomaly: Run, monkeypatch: pytest.MonkeyPatch
):
    def pressed(stop: Stop) -> None:
        del stop
        raise KeyboardInterrupt

    monkeypatch.setattr(Stop, "check", pressed)
    known = folders / "known"
    done = nomaly(known / "cat", known / "coffee", "--model", folders / "model")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "nomaly: stopped; nothing was measured whole"


def test_misuse_is_told_before_anything_is_seen(folders: Path, tmp_path: Path, nomaly: Run):
    known, rocket = folders / "known", folders / "rocket"
    (tmp_path / "empty").mkdir()
    one, few = tmp_path / "one", tmp_path / "few"
    write_pieces(one, data.coffee(), 3, 0)
    write_pieces(few, data.rocket(), 1, 0)
    cases = {
        (known, tmp_path / "no"): "there is no such",
        (known, tmp_path / "empty"): "there are no images in what was named",
        (known, rocket, "--template", "nice"): "has no {} where the noun stands",
        (known, rocket, "--seed", "-1"): "--seed -1: must be 0 or more",
        (known, rocket, "--fit", known / "cat"): "name folders that share no pictures",
        (known, known): "is named twice",
        (known, rocket, rocket): "is named twice",
        (known, rocket, "--nouns", rocket / "none.txt"): "none.txt: there is no such file",
        (known, rocket, "--fitted", one, "--fit", few): "nothing is fitted, so leave out --fit",
        (known, rocket, "--keep", one): "holds files that no such evaluation wrote",
    }
    for words, said in cases.items():
        done = nomaly(*words)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    done = nomaly(known, rocket, "--fitted", tmp_path / "none")
    assert (done.returncode, "scores.json: is not there" in done.stderr) == (1, True), done.stderr
    done = nomaly(one, few, "--model", folders / "model")
    assert "one: needs 4 pictures or more, of which half are fitted on" in done.stderr
    assert done.returncode == 2


@pytest.mark.slow
def test_scores_that_are_too_large_to_be_kept_do_not_cost_the_figures(
    folders: Path, tmp_path: Path, nomaly: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("calibration.kept.MOST_BYTES", 1000)
    words = folders / "known" / "cat", folders / "faces", "--model", folders / "model"
    done = nomaly(*words, "--out", tmp_path / "out", "--keep", tmp_path / "kept")
    assert done.returncode == 1
    assert "of which no more than 1,000 are read back, so nothing is kept" in done.stderr
    assert (tmp_path / "out" / "scores.csv").is_file()
    assert not (tmp_path / "kept").exists()


def test_pictures_that_scores_were_weighed_by_are_not_measured(
    folders: Path, tmp_path: Path, nomaly: Run
):
    tuning = [str(file) for file in sorted((folders / "rocket").glob("*.png"))]
    keep(tmp_path / "kept", {}, {}, Learned().with_pictures((), tuning))
    done = nomaly(folders / "known", folders / "rocket", "--fitted", tmp_path / "kept")
    assert done.returncode == 2
    assert "rocket: the scores were fitted on all of its pictures, which would look" in done.stderr


def test_one_class_is_told_as_one(capsys: pytest.CaptureFixture[str]):
    request = OodRequest(known=Path("cups"), others=(Path("dogs"),))
    done = OodResult(request, "starter", 4, ("cup",), (), 4, {"dogs": 4}, {}, Measured([]))
    _print(done)
    assert "drawn with seed 0; 1 class (cup)." in capsys.readouterr().out
