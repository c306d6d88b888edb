"""What the installed environment must look like."""

from importlib.metadata import distributions, packages_distributions, version
from importlib.resources import files
from pathlib import Path

ROOMS = {"nomaly", "app", "scenarios", "detectors", "novic", "training", "calibration"}


def test_only_one_opencv_is_installed():
    names = {(found.metadata["Name"] or "").lower() for found in distributions()}
    opencvs = {name for name in names if name.startswith("opencv-")}
    assert opencvs == {"opencv-python-headless"}


def test_nobody_else_owns_our_import_names():
    owners = packages_distributions()
    assert {owner for room in ROOMS for owner in owners.get(room, [])} <= {"nomaly"}
    assert version("nomaly")


def test_the_shipped_data_is_small():
    data = Path(str(files("novic") / "data"))
    assert sum(file.stat().st_size for file in data.rglob("*") if file.is_file()) < 30 << 20


def test_no_file_is_too_long_to_read():
    root = Path(__file__).parents[1]
    long = {
        str(file.relative_to(root)): lines
        for room in ROOMS
        for file in (root / room).rglob("*.py")
        if (lines := len(file.read_text().splitlines())) > 400
    }
    assert long == {}
