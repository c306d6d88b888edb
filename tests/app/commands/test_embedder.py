"""`nomaly embedder` as its users run it."""

import json
from pathlib import Path

import pytest
from PIL import Image
from skimage import data
from typer.testing import CliRunner, Result

from app.cli import cli
from tests.novic.clips import clip_config, save_model


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for name, picture in {"cat": data.chelsea(), "rocket": data.rocket()}.items():
        (folder / name).mkdir()
        Image.fromarray(picture).save(folder / name / "a.jpg")
    (folder / "cat" / "broken.jpg").write_bytes(b"broken")
    return folder


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["embedder", *map(str, words)])


def test_check_prints_figures_for_people(photographs: Path):
    result = run("check", "starter", "--data", photographs, "--quiet")
    assert result.exit_code == 0, result.output
    assert "100.00% (95% interval 34.24 to 100.00)" in result.output
    assert "No figure is published for this embedder on these images." in result.output
    assert "Left out: cat/broken.jpg: is not an image that can be read" in result.output


def test_check_prints_json_for_scripts(photographs: Path, tmp_path: Path):
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a photo of a {c}.")
    result = run("check", "starter", "--data", photographs, "--prompts", prompts, "--json")
    found = json.loads(result.stdout.splitlines()[-1])
    assert (found["embedder"], found["top1"], found["images"]) == ("starter", 100, 2)
    assert (found["prompts"], found["published"], found["agrees"]) == (1, None, None)
    assert found["broken"] == [["cat/broken.jpg", "is not an image that can be read"]]


def test_check_takes_a_model_of_ones_own(photographs: Path, tmp_path: Path):
    save_model(tmp_path, clip_config(42, "shortest", quick=False))
    spec = f"openclip:{tmp_path}"
    result = run("check", spec, "--data", photographs, "--limit", "2", "--json")
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["embedder"] == spec
    assert found["images"] + len(found["broken"]) == 2


def test_list_shows_the_starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    result = run("list")
    assert result.exit_code == 0
    assert "openclip:timm/ViT-B-16-SigLIP" in result.output
    rows = json.loads(run("list", "--json").stdout)["embedders"]
    assert rows[0] == {"spec": "starter", "ready": True, "state": "ready"}


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        (["clap:x", "--data", "{}"], "EmbedderError", "unknown embedder 'clap:x'"),
        (["openclip:/none", "--data", "{}"], "EmbedderError", "there is no folder /none"),
        (["starter", "--data", "/none"], "NoImagesError", "there is no such folder"),
        (["starter", "--data", "{}", "--split", "all of it"], "UsageError", "use train, valid"),
        (["starter", "--data", "{}", "--like", "starter"], "UsageError", "figures are published"),
        (
            ["starter", "--data", "{}", "--prompts", "/none.txt"],
            "UsageError",
            "there is no such file",
        ),
    ],
)
def test_faults_are_a_sentence(photographs: Path, words: list[str], kind: str, message: str):
    result = run("check", *(word.format(photographs) for word in words), "--quiet")
    assert type(result.exception).__name__ == kind
    assert message in str(result.exception)
