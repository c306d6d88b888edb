"""A calibration as files: whole, readable, and bound to what made it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.blindness import BlindMap, Planted
from calibration.site.calibrated import SiteCalibration, calibrated
from calibration.site.files import (
    CalibrationError,
    dictionary_sha256,
    load_calibration,
    read_calibration,
    write_calibration,
)
from detectors.files import CALIBRATION, CALIBRATION_ARRAYS
from novic.certainty import Scaling
from tests.calibration.site.footage import BOUND, crops, vectors


@pytest.fixture
def done() -> SiteCalibration:
    fitted, _ = calibrated(BOUND, crops(300), 3600)
    blind = BlindMap((Planted(0, 0.04, 9, True), Planted(1, 0.04, 9, False)), (1, 2))
    return replace(fitted, names=Scaling(0.7, 0.2), blind=blind, measured={"hours": 1.0})


def test_a_calibration_says_the_same_after_it_was_read(done: SiteCalibration, tmp_path: Path):
    write_calibration(tmp_path, done, {"created": "2026-11-30T12:00:00Z"})
    read = load_calibration(tmp_path, BOUND)
    for vector in vectors(5, 4):
        assert read.site_p(vector) == done.site_p(vector)
    assert read.unnameable_ranks is not None
    assert done.unnameable_ranks is not None
    assert np.array_equal(read.unnameable_ranks.ordered, done.unnameable_ranks.ordered)
    assert (read.names, read.blind, read.said) == (done.names, done.blind, done.said)
    assert not list(tmp_path.glob("*.new"))
    card = json.loads((tmp_path / CALIBRATION).read_text())
    assert card["created"] == "2026-11-30T12:00:00Z"
    assert card["bindings"]["embedder"] == "starter"


def test_one_that_fitted_nothing_is_kept_and_read_too(tmp_path: Path):
    fitted, _ = calibrated(BOUND, crops(10), 3600)
    write_calibration(tmp_path, fitted)
    read = load_calibration(tmp_path, BOUND)
    assert read.site_p(vectors(1, 0)[0]) is None
    assert "not fitted" in read.said["site_p"]


@pytest.mark.parametrize("part", ["detector", "embedder", "decoder", "dictionary"])
def test_another_model_or_site_is_named(done: SiteCalibration, tmp_path: Path, part: str):
    write_calibration(tmp_path, done)
    with pytest.raises(CalibrationError, match=f"made with {part} .*, here it is 9999"):
        load_calibration(tmp_path, replace(BOUND, **{part: "9" * 64}))


def test_who_cannot_use_it_goes_on_and_is_told(done: SiteCalibration, tmp_path: Path):
    heard: list[str] = []

    def read(detector: str) -> SiteCalibration | None:
        return read_calibration(
            tmp_path,
            embedder=BOUND.embedder,
            decoder_sha256=BOUND.decoder,
            detector_sha256=detector,
            say=heard.append,
        )

    assert read(BOUND.detector) is None
    assert heard == []
    write_calibration(tmp_path, done)
    assert read(BOUND.detector) is not None
    assert heard == []
    assert read("9" * 64) is None
    assert len(heard) == 1
    assert "here it is 999999999999" in heard[0]
    assert heard[0].endswith("It goes on uncalibrated.")


@pytest.mark.parametrize("file", [CALIBRATION, CALIBRATION_ARRAYS])
def test_a_file_that_was_cut_off_is_told(done: SiteCalibration, tmp_path: Path, file: str):
    write_calibration(tmp_path, done)
    whole = (tmp_path / file).read_bytes()
    for kept in (0, 10, len(whole) // 2, len(whole) - 5):
        (tmp_path / file).write_bytes(whole[:kept])
        with pytest.raises(CalibrationError, match=f"{file}: .*run nomaly calibrate again"):
            load_calibration(tmp_path)


def test_files_that_are_something_else_are_told(done: SiteCalibration, tmp_path: Path):
    with pytest.raises(CalibrationError, match="is not there"):
        load_calibration(tmp_path)
    write_calibration(tmp_path, done)
    card = json.loads((tmp_path / CALIBRATION).read_text())
    wrong: list[tuple[object, str]] = [
        ([], "no calibration of Nomaly's"),
        (card | {"version": 7}, "version 7"),
        (card | {"names": {"power": -1, "rest": 0}}, "power above 0"),
        (card | {"bindings": 3}, "damaged"),
        ({key: card[key] for key in card if key != "parts"}, "'parts' is missing"),
        (card | {"blind_map": {"grid": [1, 1], "cells": [{"zone": 4}]}}, "damaged"),
    ]
    for said, why in wrong:
        (tmp_path / CALIBRATION).write_text(json.dumps(said))
        with pytest.raises(CalibrationError, match=why):
            load_calibration(tmp_path)


def test_arrays_of_objects_are_not_unpacked(done: SiteCalibration, tmp_path: Path):
    write_calibration(tmp_path, done)
    np.savez(tmp_path / CALIBRATION_ARRAYS, site_means=np.array([{}], object))
    card = json.loads((tmp_path / CALIBRATION).read_text())
    import hashlib

    content = (tmp_path / CALIBRATION_ARRAYS).read_bytes()
    card["arrays_sha256"] = hashlib.sha256(content).hexdigest()
    (tmp_path / CALIBRATION).write_text(json.dumps(card))
    with pytest.raises(CalibrationError, match="damaged"):
        load_calibration(tmp_path)


def test_a_folder_that_cannot_be_written_is_told(done: SiteCalibration, tmp_path: Path):
    with pytest.raises(CalibrationError, match="cannot be written"):
        write_calibration(tmp_path / "gone", done)


def test_dictionaries_are_told_apart_by_their_nouns():
    assert dictionary_sha256(("cat", "dog")) == dictionary_sha256(("dog", "cat"))
    assert dictionary_sha256(("cat",)) != dictionary_sha256(("dog", "cat"))
