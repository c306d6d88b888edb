"""Stills of any size brought to the one that a detector looks at; what does not fit is told."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.paths import shown_path
from app.watching.sizes import same_shape, scaled
from detectors.types import Pixels
from novic.images import ImageError, image_size, load_images, read_image

LONGEST = 1024
"""Pixels of the longer side that is worked with at most: twice what detectors of stills look at."""
_LEAST = 0.25
"""An image below this share of the size that is learned shows nothing of it."""

type Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Loaded:
    """One image as it is looked at, or why not."""

    path: Path
    image: Pixels | None
    """RGB uint8 [H, W, 3] of the size asked for."""
    size: Size = (0, 0)
    """(height, width) of the file's own picture."""
    error: str = ""
    """In one sentence, without the path; empty if it was loaded."""


def usual_size(paths: Sequence[Path]) -> Size | None:
    """The (height, width) that most images have, made smaller to LONGEST; None if none can be read.

    Of several that are equally common the larger counts.
    """
    sizes: Counter[Size] = Counter()
    for path in paths:
        try:
            sizes[image_size(path)] += 1
        except ImageError:
            continue
    if not sizes:
        return None
    height, width = max(sizes, key=lambda size: (sizes[size], size[0] * size[1]))
    scale = min(1.0, LONGEST / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def load(paths: Sequence[Path], size: Size) -> Iterator[Loaded]:
    """Images in their order, each brought to a size; faults are told in place of the image.

    Args:
        paths: Files.
        size: (height, width) of what comes out; other shapes are refused.
    """
    own: dict[str, Size] = {}

    def read(path: str) -> Pixels:
        image = read_image(path)
        own[path] = found = (image.shape[0], image.shape[1])
        if not same_shape(found, size):
            raise ImageError(
                f"{found[1]}x{found[0]} pixels have another shape than the "
                f"{size[1]}x{size[0]} that is learned"
            )
        if max(found) < _LEAST * max(size):
            raise ImageError(
                f"{found[1]}x{found[0]} pixels are too few: {size[1]}x{size[0]} are learned"
            )
        return scaled(image, size) if found != size else image

    for path, loaded in zip(paths, load_images(map(str, paths), read=read), strict=True):
        yield Loaded(path, loaded.image, own.pop(str(path), (0, 0)), loaded.error)


def load_good(
    paths: Sequence[Path], size: Size, say: Callable[[str], None], done: Callable[[int], None]
) -> list[Pixels]:
    """All images that can be learned from.

    Args:
        paths: Files.
        size: (height, width) they are brought to.
        say: Told of each that is left out, and why.
        done: Told how many were read.
    """
    images = []
    for number, loaded in enumerate(load(paths, size), start=1):
        if loaded.image is None:
            say(f"Left out: {shown_path(loaded.path)}: {loaded.error}")
        else:
            images.append(loaded.image)
        done(number)
    return images
