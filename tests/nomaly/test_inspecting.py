"""Stills inspected from Python."""

from pathlib import Path

import pytest

import nomaly
from tests.app.inspecting.items import cup


def test_good_images_teach_and_others_are_judged(tmp_path: Path):
    item = cup(tmp_path / "cup", learned=12)
    settings = {"kind": "diagonal", "longer_side": "192"}
    nomaly.fit_stills(item, tmp_path / "det", settings=settings, device="cpu")
    done = nomaly.inspect(
        item / "test", tmp_path / "out", detector=tmp_path / "det", names=False, device="cpu"
    )
    assert isinstance(done, nomaly.Inspection)
    worst = done.worst_first[0]
    assert worst.unusual
    assert worst.still.defective
    assert worst.defects[0].score > 1
    assert done.figures is not None
    with pytest.raises(nomaly.NomalyError, match="holds an earlier inspection"):
        nomaly.inspect(item, tmp_path / "out", names=False)
    with pytest.raises(nomaly.NomalyError, match="exists already"):
        nomaly.fit_stills(item, tmp_path / "det")
    with pytest.raises(nomaly.NomalyError, match="unknown detector 'eyes'"):
        nomaly.fit_stills(item, tmp_path / "other", settings={"kind": "eyes"})
