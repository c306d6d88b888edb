"""`nomaly cache` with the starter embedder, as scripts and newcomers meet it."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from skimage import data
from typer.testing import CliRunner, Result

from app.commands.cache import cli
from novic.embedders.starter import StarterEmbedder
from tests.app.short_watch import run_nomaly, start_nomaly

ENTRY = {"plurals_freq": [2], "singulars_freq": [3], "hypernyms": []}
PROMPTS = {"prompts": {"ImageNet1K": [[1, "a photo of {article_noun}"]], "CIFAR": []}}


@pytest.fixture(scope="module", autouse=True)
def _one_embedder() -> Iterator[None]:
    """The real embedder, built once for all commands of this process."""
    embedder = StarterEmbedder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.commands.cache._build", lambda *_: embedder)
        yield


def nomaly_cache(*words: str | Path) -> Result:
    """A command in this process; its errors are `Result.exception`."""
    return CliRunner().invoke(cli, list(map(str, words)))


def told(result: Result) -> dict:
    """The JSON object of a command."""
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dictionary of three nouns, one prompt, and a cache of both."""
    folder = tmp_path_factory.mktemp("site")
    entries = [
        {
            **ENTRY,
            "id": number,
            "target_noun": noun,
            "pretty_noun": noun,
            "singulars": [noun],
            "plurals": [f"{noun}s"],
        }
        for number, noun in enumerate(("ant", "bee", "zebra"))
    ]
    (folder / "object_nouns.json").write_text(json.dumps(entries))
    (folder / "prompts.json").write_text(json.dumps(PROMPTS))
    info = told(cache_nouns(folder, "nouns", "--json"))
    assert (info["samples"], info["texts"], info["nouns"]) == (15, 6, 3)
    assert info["embedder"] == "starter"
    return folder


def cache_nouns(folder: Path, out: str, *more: str) -> Result:
    words = ["--dictionary", folder / "object_nouns.json", "--prompts", folder / "prompts.json"]
    return nomaly_cache("nouns", *words, "--out", folder / out, *more)


@pytest.mark.parametrize(
    "command", ["nouns", "captions", "images", "classes", "merge", "convert", "info", "verify"]
)
def test_every_command_has_help_with_an_example(command: str):
    done = nomaly_cache(command, "--help")
    assert done.exit_code == 0
    assert f"nomaly cache {command}" in done.stdout.split("Example")[1]


def test_info_and_verify_tell_what_a_cache_is(site: Path):
    shown = nomaly_cache("info", site / "nouns").stdout
    assert "6 of 384 int8" in shown
    info = told(nomaly_cache("info", site / "nouns", "--json"))
    assert info["provenance"]["command"].startswith("nomaly")
    assert info["provenance"]["dictionary"] == str(site / "object_nouns.json")
    checked = told(nomaly_cache("verify", site / "nouns", "--json"))
    assert checked == {"cache": str(site / "nouns"), "ok": True, "faults": []}


def test_to_version_1_and_back(site: Path):
    info = told(nomaly_cache("convert", site / "nouns", "--out", site / "v1.bin", "--json"))
    assert (info["format"], info["samples"], info["strict"]) == ("v1", 15, True)
    assert "upstream's version 1" in nomaly_cache("info", site / "v1.bin").stdout
    words = ["--out", site / "back", "--vectors", "int8", "--json"]
    assert told(nomaly_cache("convert", site / "v1.bin", *words))["texts"] == 6
    # Made by the embedder of the other, though only a hash of it is left.
    merged = nomaly_cache("merge", site / "nouns", site / "back", "-o", site / "m", "--json")
    assert told(merged)["samples"] == 30


def test_verify_names_the_damaged_file(site: Path):
    nomaly_cache("merge", site / "nouns", "--out", site / "damaged")
    (shard,) = (site / "damaged").glob("shard-*")
    shard.write_bytes(shard.read_bytes()[:-1] + b"\x55")
    done = nomaly_cache("verify", site / "damaged")
    assert done.exit_code == 1
    assert f"{shard}: its SHA-256 is" in done.stdout


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--multiset", "1,x"], "--multiset 1,x: write whole numbers"),
        (["--multiset", "0,0"], "--multiset 0,0: write whole numbers"),
        (["--vectors", "int4"], "--vectors int4: must be one of float16, float32, int8"),
        (["--format", "v2"], "--format v2: must be one of nomaly, v1"),
    ],
)
def test_misuse_is_told(site: Path, words: list[str], fault: str):
    assert fault in str(cache_nouns(site, "misused", *words).exception)
    assert not (site / "misused").exists()


def test_other_misuse_is_told(site: Path):
    few = nomaly_cache("merge", site / "nouns", "-o", site / "t", "--targets", "few")
    assert "--targets few: must be max, min or a number" in str(few.exception)
    part = nomaly_cache("classes", site, "-o", site / "t", "--split", "half")
    assert "--split half: must be one of train, valid, all" in str(part.exception)
    none = nomaly_cache("images", site / "nouns", "--out", site / "none")
    assert "holds no images" in str(none.exception)


@pytest.mark.slow
def test_images_and_classes(site: Path):
    for name, picture in (("cat, tabby", data.chelsea()), ("coffee", data.coffee())):
        (site / "classes" / name).mkdir(parents=True)
        Image.fromarray(picture).save(site / "classes" / name / "one.jpg")
    (site / "classes" / "coffee" / "two.jpg").write_text("no picture")
    done = nomaly_cache("classes", site / "classes", "--out", site / "cls")
    assert done.exit_code == 0, done.exception
    assert "Left out: coffee/two.jpg: is not an image that can be read" in done.stdout
    info = told(nomaly_cache("images", site / "classes", "--out", site / "img", "--json"))
    assert (info["samples"], info["max_targets"], len(info["skipped"])) == (2, 0, 1)


@pytest.mark.slow
def test_exit_codes_of_the_installed_command(site: Path):
    words = ["--dictionary", site / "object_nouns.json", "--out", site / "nouns"]
    again = run_nomaly("cache", "nouns", *words)
    assert again.returncode == 2
    assert "holds a finished cache; name another place" in again.stderr
    (site / "cut.bin").write_bytes(b"too short")
    cut = run_nomaly("cache", "info", site / "cut.bin")
    assert cut.returncode == 1
    assert "has 9 bytes, too few for a version-1 cache" in cut.stderr


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_begun(site: Path):
    """The shipped prompts make more texts than are embedded before the signal comes."""
    words = ["--dictionary", site / "object_nouns.json", "--multiset", "1,20"]
    spilled = site / "stopped" / "spill" / "done.json"
    deadline = time.monotonic() + 90
    with start_nomaly("cache", "nouns", *words, "--out", site / "stopped") as process:
        while not spilled.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert "what is finished is kept, and the same command goes on from there" in said
    assert spilled.exists()
    unfinished = nomaly_cache("info", site / "stopped")
    assert "run the command that began it again" in str(unfinished.exception)
