"""`nomaly inspect` as it is typed."""

import json
from pathlib import Path

import pytest

from app.commands.stills_options import StillsLearning
from app.errors import UsageError
from app.inspecting.request import SHARE, stills_config
from detectors.configs import DetectorConfigError
from tests.app.inspecting.items import cup
from tests.app.short_watch import run_nomaly


def test_a_detector_is_made_and_used(tmp_path: Path):
    item, detector, out = cup(tmp_path / "cup"), tmp_path / "det", tmp_path / "out"
    words = ("--detector-model", "diagonal", "--detector-setting", "longer_side=192", "--json")
    fitted = run_nomaly("inspect", "fit", item, "--out", detector, *words)
    assert fitted.returncode == 0, fitted.stderr
    told = json.loads(fitted.stdout.splitlines()[-1])
    assert (told["kind"], told["learned"], told["how"]) == ("diagonal", 16, "extrapolated")
    done = run_nomaly("inspect", item, "--detector", detector, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "of 16 images are defective" in done.stdout
    assert "Image AUROC" in done.stdout
    images = json.loads((out / "inspection.json").read_text())["images"]
    named = [one for one in images if "headline" in one]
    assert len(named) >= 7
    assert all(one["nouns"] for one in named)
    again = run_nomaly("inspect", item, "--detector", detector, "--out", out)
    assert (again.returncode, "holds an earlier inspection" in again.stderr) == (2, True)


def test_stills_are_never_varied_as_a_camera_s_view_is():
    config = stills_config("padim", {"channels": "40"})
    assert (config.passes, config.held_out_passes, config.longer_side) == (1, 1, 256)
    assert config.model_dump()["channels"] == 40
    assert stills_config("padim", {"longer_side": "384"}).longer_side == 384
    with pytest.raises(DetectorConfigError, match="padim has no setting 'wings'"):
        stills_config("padim", {"wings": "2"})


def test_a_share_is_above_nothing_and_not_for_what_has_learned():
    assert StillsLearning().request("cpu").share == SHARE
    assert StillsLearning(false_share=0.2).request("cpu").share == 0.2
    for share in (0.0, -0.1, 0.9, float("nan")):
        with pytest.raises(UsageError, match=r"must be above 0, and 0\.5 at most"):
            StillsLearning(false_share=share).request("cpu")
    with pytest.raises(UsageError, match="det has learned already"):
        StillsLearning(false_share=0.1).request("cpu", fitted=Path("det"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("inspect", "gone"), "gone: there is no such file"),
        (("inspect", "."), ": holds no images; it is empty"),
        (("inspect", "fit", "."), ": holds no good images to learn from"),
        (("inspect", "http://cam/x.jpg"), "that is a camera, not a file"),
    ],
    ids=["gone", "empty", "nothing good", "address"],
)
def test_what_cannot_work_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
):
    monkeypatch.chdir(tmp_path)
    done = run_nomaly(*words)
    assert done.returncode == 2
    assert said in done.stderr
