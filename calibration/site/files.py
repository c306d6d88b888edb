"""A calibration on disk: calibration.json that people can read, beside calibration.npz."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.blindness import BlindMap
from calibration.cards import CardKind
from calibration.scores.conformal import Ranks
from calibration.scores.gaussians import FittedMahalanobis
from calibration.site.calibrated import Bindings, SiteCalibration
from calibration.site.weights import Weights
from detectors.files import CALIBRATION, CALIBRATION_ARRAYS
from novic.certainty import Scaling
from novic.errors import NomalyError
from novic.whole_files import write_whole

FORMAT = "nomaly-calibration"
VERSION = 1
MOST_BYTES = 256 << 20
"""Of the arrays."""
_AGAIN = "run nomaly calibrate again"


class CalibrationError(NomalyError):
    """A camera's calibration cannot be used; the text names the file, what is wrong, or differs."""


def write_calibration(
    folder: Path, done: SiteCalibration, facts: Mapping[str, Any] | None = None
) -> None:
    """Write a calibration into the folder of its detector, whole or not at all.

    Args:
        folder: Of the detector.
        done: What was calibrated.
        facts: What else people should know: when, of which footage.

    Raises:
        CalibrationError: If it cannot be written.
    """
    packed = BytesIO()
    np.savez(packed, allow_pickle=False, **_arrays(done))
    content = packed.getvalue()
    card = {
        "format": FORMAT,
        "version": VERSION,
        **(facts or {}),
        "higher_is": "stranger; p is low where a thing is rare",
        "bindings": asdict(done.bindings),
        "parts": dict(done.said),
        "names": None if done.names is None else asdict(done.names),
        "weights": None if done.weights is None else done.weights.as_json(),
        "blind_map": None if done.blind is None else done.blind.as_json(),
        "measured": dict(done.measured),
        "arrays_sha256": hashlib.sha256(content).hexdigest(),
    }
    try:
        text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        # A kill in between leaves two that do not fit, which is noticed when they are read.
        write_whole(folder / CALIBRATION_ARRAYS, content)
        write_whole(folder / CALIBRATION, text.encode())
    except OSError as error:
        raise CalibrationError(
            f"{folder}: the calibration cannot be written: {error.strerror or error}"
        ) from error


def load_calibration(folder: Path, expected: Bindings | None = None) -> SiteCalibration:
    """Read the calibration of a detector.

    Args:
        folder: Of the detector.
        expected: What looks and names now; None to read it whatever it belongs to.

    Raises:
        CalibrationError: If there is none, it is damaged, or belongs to something else.
    """
    file = folder / CALIBRATION
    kind = CardKind(FORMAT, VERSION, CalibrationError, "is no calibration of Nomaly's", _AGAIN)
    said = kind.read(file, missing=f"run nomaly calibrate {folder}")
    try:
        bindings = Bindings(**{key: str(value) for key, value in said["bindings"].items()})
        differs = bindings.differs(expected) if expected is not None else ""
        if differs:
            raise CalibrationError(f"{file}: was made with {differs}; {_AGAIN}")
        return _read(said, bindings, _read_arrays(folder, said["arrays_sha256"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CalibrationError(f"{file}: damaged ({_why(error)}); {_AGAIN}") from error


def read_calibration(
    folder: Path,
    *,
    embedder: str,
    decoder_sha256: str,
    detector_sha256: str,
    say: Callable[[str], None],
    dictionary_sha256: str = "",
) -> SiteCalibration | None:
    """The calibration of a camera, for who goes on without one.

    Args:
        folder: Of its detector.
        embedder: Spec of what embeds crops.
        decoder_sha256: What `novic.model.model_sha256` says of what names them.
        detector_sha256: `weights_sha256` of the detector's card.
        say: Told in one sentence why there is none that can be used.
        dictionary_sha256: What `dictionary_sha256` says of the nouns; empty not to ask.

    Returns:
        None if there is none, or none of these; nothing is said where there never was one.
    """
    if not (folder / CALIBRATION).exists():
        return None
    expected = Bindings(detector_sha256, embedder, decoder_sha256, dictionary_sha256)
    try:
        return load_calibration(folder, expected)
    except CalibrationError as error:
        say(f"{error}. It goes on uncalibrated.")
        return None


def calibration_sha256(folder: Path) -> str:
    """What tells the calibration of a detector from another: SHA-256 of its file.

    Args:
        folder: Of the detector.

    Returns:
        Empty where none can be read.
    """
    try:
        return hashlib.sha256((folder / CALIBRATION).read_bytes()).hexdigest()
    except OSError:
        return ""


def dictionary_sha256(nouns: "list[str] | tuple[str, ...]") -> str:
    """What tells dictionaries apart: SHA-256 of their nouns in order of the alphabet."""
    return hashlib.sha256("\n".join(sorted(nouns)).encode()).hexdigest()


def _arrays(done: SiteCalibration) -> dict[str, NDArray[np.float64]]:
    arrays: dict[str, NDArray[np.float64]] = {}
    if done.site is not None:
        arrays |= {"site_means": done.site.means, "site_white": done.site.white}
    if done.site_ranks is not None:
        arrays["site_scores"] = done.site_ranks.ordered
    if done.unnameable_ranks is not None:
        arrays["unnameable_scores"] = done.unnameable_ranks.ordered
    return arrays


def _read_arrays(folder: Path, sha256: str) -> dict[str, NDArray[np.float64]]:
    file = folder / CALIBRATION_ARRAYS
    try:
        if file.stat().st_size > MOST_BYTES:
            raise CalibrationError(f"{file}: is larger than {MOST_BYTES:,} bytes; {_AGAIN}")
        content = file.read_bytes()
    except OSError as error:
        raise CalibrationError(f"{file}: cannot be read: {error.strerror or error}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CalibrationError(
            f"{file}: cut off, or not written with {CALIBRATION} beside it; {_AGAIN}"
        )
    try:
        with np.load(BytesIO(content), allow_pickle=False) as packed:
            return {name: np.asarray(packed[name], np.float64) for name in packed.files}
    except (ValueError, zipfile.BadZipFile, OSError) as error:
        raise CalibrationError(f"{file}: damaged ({error}); {_AGAIN}") from error


def _read(
    said: Mapping[str, Any], bindings: Bindings, arrays: Mapping[str, NDArray[np.float64]]
) -> SiteCalibration:
    site = None
    if "site_means" in arrays:
        means, white = arrays["site_means"], arrays["site_white"]
        if means.ndim != 2 or white.shape != (means.shape[1], means.shape[1]):
            raise ValueError("site_means and site_white do not fit")
        site = FittedMahalanobis("site_p", means, white)
    # Calibrations of before December 2026 have no weights.
    names, weights = said["names"], said.get("weights")
    return SiteCalibration(
        bindings,
        site,
        _ranks(arrays, "site_scores"),
        _ranks(arrays, "unnameable_scores"),
        None if names is None else _scaling(names),
        None if weights is None else Weights.of(weights),
        None if said["blind_map"] is None else BlindMap.of(said["blind_map"]),
        {str(key): str(value) for key, value in said["parts"].items()},
        dict(said["measured"]),
    )


def _ranks(arrays: Mapping[str, NDArray[np.float64]], name: str) -> Ranks | None:
    scores = arrays.get(name)
    if scores is None:
        return None
    if scores.ndim != 1 or not len(scores) or not np.isfinite(scores).all():
        raise ValueError(f"{name} holds no scores")
    return Ranks(np.sort(scores))


def _scaling(said: Mapping[str, Any]) -> Scaling:
    power, rest = float(said["power"]), float(said["rest"])
    if not (np.isfinite([power, rest]).all() and power > 0):
        raise ValueError("names must hold a power above 0 and a rest")
    return Scaling(power, rest)


def _why(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
