"""Where a fitted detector is put."""

from pathlib import Path

import numpy as np
import pytest
import torch

from app.errors import UsageError
from app.watching.calm import NORMAL_PICTURE
from app.watching.keeping import check_place, put_detector
from detectors.build import build_detector, load_detector
from detectors.configs import PadimConfig

FRAMES = [np.full((48, 64, 3), level, np.uint8) for level in range(100, 108)]


def test_a_detector_takes_the_place_of_an_earlier_one_and_of_nothing_else(tmp_path: Path):
    fitted = build_detector(
        PadimConfig(passes=8, held_out_passes=8, channels=8, longer_side=64), torch.device("cpu")
    )
    fitted.fit(FRAMES)
    out = tmp_path / "hall"
    check_place(out, overwrite=False)
    put_detector(fitted, out)
    (out / NORMAL_PICTURE).write_bytes(b"")
    with pytest.raises(UsageError, match=r"exists already; name a new folder, or .*--overwrite"):
        check_place(out, overwrite=False)
    check_place(out, overwrite=True)
    put_detector(fitted.with_threshold(7.0), out)
    assert load_detector(out, torch.device("cpu")).threshold == 7.0
    assert [entry.name for entry in tmp_path.iterdir()] == ["hall"]
    (out / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match=r"holds other files besides a detector \(thesis\.txt"):
        check_place(out, overwrite=True)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_no_detector_is_left_alone(tmp_path: Path, kind: str):
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("precious")
    else:
        out.mkdir()
        (out / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match="--overwrite replaces detectors, and this is none"):
        check_place(out, overwrite=True)
