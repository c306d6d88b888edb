"""Images in a row, audited and measured."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.evaluating.truth import thing_of, write_truth
from app.events.store import Store
from app.simulator.photos import photo
from app.watching.results import audit_result
from detectors.types import Box
from tests.app.short_watch import run_nomaly

NORMAL, COUNT = 24, 44
COIN = Box(100, 60, 140, 100)
SETTINGS = ("longer_side=240", "passes=16", "held_out_passes=8")
THERE = range(NORMAL + 6, COUNT - 6)


@pytest.fixture
def hall(tmp_path: Path) -> Path:
    """A cup, one image a second, and a coin on its table for a while; one image is torn."""
    rng = np.random.default_rng(0)
    cup = np.asarray(Image.fromarray(photo("coffee.png")).resize((240, 160)), np.float64)
    coin = np.asarray(Image.fromarray(photo("coins.png")[20:120, 20:120]).resize((40, 40)))
    folder = tmp_path / "hall"
    folder.mkdir()
    for number in range(COUNT):
        image = np.clip(cup + rng.normal(0, 2, cup.shape), 0, 255).astype(np.uint8)
        if number in THERE:
            image[60:100, 100:140] = coin
        Image.fromarray(image).save(folder / f"f_{number:03d}.png", compress_level=1)
    (folder / "f_027.png").write_bytes(b"torn")
    return folder


@pytest.mark.slow
def test_what_comes_is_found_and_a_torn_image_stops_nothing(hall: Path, tmp_path: Path):
    coin = thing_of("coin", [(float(number), COIN) for number in THERE], 240)
    write_truth([coin], (160, 240), tmp_path / "truth.json")
    settings = [f"--detector-setting={one}" for one in SETTINGS]
    words = ("--truth", tmp_path / "truth.json", "--normal-first", str(NORMAL), "--json")
    words = (*words, "--detector-model", "diagonal", *settings, "--out", tmp_path / "out")
    said = run_nomaly("evaluate", "detector", hall, *words)
    assert said.returncode == 0, said.stderr
    [measured] = json.loads(said.stdout.splitlines()[-1])["audits"]
    with Store(tmp_path / "out" / "audit") as store:
        run = store.last_run()
        assert run is not None
        done = audit_result(store, run)
    assert done.frames == COUNT - NORMAL - 1
    assert "1 images could not be read (f_027.png is not an image" in done.warnings[0]
    found = [event for event in done.events if event.box.iou(COIN) > 0.3]
    assert len(found) == 1
    assert abs(found[0].start_s - THERE[0]) <= 1
    assert (found[0].camera, found[0].video) == ("hall", str(hall))
    [told] = measured["each"]
    assert (told["events"], told["iou"] > 0.3) == (1, True)
    assert measured["false_events"] == len(done.events) - 1
    assert measured["box_ap50"] is not None
