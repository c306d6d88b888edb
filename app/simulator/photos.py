"""The photographs that installed packages carry: real pictures on a machine without a network."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from detectors.types import Pixels
from novic.errors import NomalyError
from novic.extras import how_to_reinstall, missing_package

FOLDERS = {
    "skimage": "data",
    "sklearn": "datasets/images",
    "matplotlib": "mpl-data/sample_data",
}
"""Where each package keeps its pictures."""
DISTRIBUTIONS = {"skimage": "scikit-image", "sklearn": "scikit-learn", "matplotlib": "matplotlib"}
"""What each is called where it is installed from."""

PACKAGE_OF = {
    "astronaut.png": "skimage",
    "brick.png": "skimage",
    "camera.png": "skimage",
    "chelsea.png": "skimage",
    "coffee.png": "skimage",
    "coins.png": "skimage",
    "grass.png": "skimage",
    "gravel.png": "skimage",
    "motorcycle_left.png": "skimage",
    "rocket.jpg": "skimage",
    "china.jpg": "sklearn",
    "flower.jpg": "sklearn",
    "grace_hopper.jpg": "matplotlib",
    "Minduka_Present_Blue_Pack.png": "matplotlib",
}
"""The photographs we use, all of them inside the wheel of their package."""


class PhotoError(NomalyError):
    """A photograph that the demo needs is not there; the text says which package brings it."""


def photo_path(name: str) -> Path:
    """Find the file of a photograph without importing the package that carries it.

    Raises:
        PhotoError: If the package or the file is missing.
    """
    package = PACKAGE_OF[name]
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places:
        raise missing_package(package, f"the demo, for {name},")
    path = Path(places[0]) / FOLDERS[package] / name
    if not path.is_file():
        raise PhotoError(
            f"the installed {package} does not carry {name} (looked for {path}); "
            f"run: {how_to_reinstall(DISTRIBUTIONS[package])}"
        )
    return path


@cache
def photo(name: str) -> Pixels:
    """Read a photograph.

    Args:
        name: A key of `PACKAGE_OF`.

    Returns:
        RGB, uint8 [H, W, 3], read-only because it is shared; grey pictures get three equal
        channels.

    Raises:
        PhotoError: If the photograph is missing or cannot be decoded.
    """
    path = photo_path(name)
    # cv2.imread cannot open every path on every system; decoding bytes can.
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise PhotoError(f"{path} is not a readable picture; reinstall {PACKAGE_OF[name]}")
    pixels = np.ascontiguousarray(picture[:, :, ::-1], np.uint8)
    pixels.setflags(write=False)
    return pixels
