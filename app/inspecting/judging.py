"""Looks at stills one after the other: score, map, boxes, and what is known of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.inspecting.figures import Verdict
from app.inspecting.judged import Judged, Named
from app.inspecting.layout import GOOD, Still
from app.inspecting.learning import Taught
from app.inspecting.masks import mask_boxes, read_mask
from app.inspecting.pictures import Loaded, Size, load
from app.media.pictures import heat_image, write_image
from calibration.pixels import PixelCounts
from detectors.finding import Finder
from detectors.scores import image_scores
from detectors.types import Box, Detection, Pixels
from novic.images import ImageError
from novic.model import NounModel

BATCH = 8
TOP = 5
"""Nouns that are kept of a defect."""
_CLEAR = 1.25
"""Where no cell of a defective image is unusual by itself, its highest is taken for so unusual."""
_MARGIN = 0.15
"""Of a box's longer side, around the crop that is named."""


@dataclass(slots=True, eq=False)
class Judge:
    """One inspection under way."""

    taught: Taught
    names: NounModel | None
    """What names defects; None where nobody asks."""
    heat: Path | None
    """Folder for the maps; None keeps none."""
    say: Callable[[str], None]
    pixels: dict[str, PixelCounts] = field(default_factory=dict)
    """Counts of the images of each kind whose defects are known."""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    _finder: Finder = field(init=False)

    def __post_init__(self) -> None:
        """Choose how boxes are drawn."""
        taught = self.taught
        self._finder = Finder(taught.detector.view if taught.card.aligned else None)

    def judge(self, stills: Sequence[Still], check: Callable[[], None]) -> Iterator[Judged]:
        """Judge images in their order; what cannot be read is told in its place.

        Args:
            stills: The images.
            check: Raises if the user wants to stop.
        """
        size = self.taught.size
        loaded = load([still.path for still in stills], size)
        for batch in batched(zip(stills, loaded, strict=True), BATCH):
            check()
            yield from self._batch(batch)

    def _batch(self, batch: Sequence[tuple[Still, Loaded]]) -> Iterator[Judged]:
        images = [loaded.image for _, loaded in batch if loaded.image is not None]
        began = time.perf_counter()
        found = self.taught.detector.detect(images)
        scores = image_scores(found.maps) / self.taught.card.image.value if images else []
        self.seconds += time.perf_counter() - began
        judged = zip(found.maps, scores, strict=True)
        for still, loaded in batch:
            if loaded.image is None:
                self.note(f"Left out: {still.name}: {loaded.error}")
                yield Judged(still, error=loaded.error)
            else:
                heat, score = next(judged)
                yield self._one(still, loaded, loaded.image, heat, float(score))

    def _one(
        self, still: Still, loaded: Loaded, image: Pixels, heat: NDArray[np.float32], score: float
    ) -> Judged:
        judged = Judged(still, score, loaded.size, heat=self._kept(still, heat))
        found = defects(heat, image, self._finder) if judged.unusual else []
        named = self._named(image, found[0].box) if found else None
        across, down = loaded.size[1] / image.shape[1], loaded.size[0] / image.shape[0]
        return replace(
            judged,
            defects=tuple(Detection(one.box.scaled(across, down), one.score) for one in found),
            truth=self._truth(still, loaded.size, image, heat),
            named=named,
        )

    def _named(self, image: Pixels, box: Box) -> Named | None:
        if self.names is None:
            return None
        size = (image.shape[0], image.shape[1])
        [naming] = self.names.name([box.grown(_MARGIN, size).cut(image)], TOP)
        nouns = tuple((noun.noun, noun.p) for noun in naming.nouns)
        return Named(nouns, naming.sure, naming.kind)

    def _truth(
        self, still: Still, own: Size, image: Pixels, heat: NDArray[np.float32]
    ) -> tuple[Box, ...] | None:
        """Where the defects are; the pixels are counted."""
        size = (image.shape[0], image.shape[1])
        if still.defective is False:
            mask = np.zeros(size, np.bool_)
        elif still.mask is None:
            return None
        else:
            try:
                mask = read_mask(still.mask, own, size)
            except ImageError as error:
                self.note(f"The mask of {still.name} does not count: {error}")
                return None
        kind = still.kind if still.defective else GOOD
        self.pixels.setdefault(kind, PixelCounts()).add(heat, mask)
        return mask_boxes(mask, own)

    def _kept(self, still: Still, heat: NDArray[np.float32]) -> str:
        if self.heat is None:
            return ""
        name = f"{Path(still.name).with_suffix('')}".replace("/", "_") + f"_{still.path.suffix[1:]}"
        write_image(self.heat / f"{name}.png", heat_image(heat))
        return f"{self.heat.name}/{name}.png"

    def note(self, sentence: str) -> None:
        """Say what the report tells, too; nothing if it is empty."""
        if sentence:
            self.say(sentence)
            self.notes.append(sentence)


def defects(heat: NDArray[np.float32], image: Pixels, finder: Finder) -> list[Detection]:
    """Where an image that is called defective is unusual, worst first; at least its worst place.

    Args:
        heat: Its map [h, w].
        image: RGB uint8 [H, W, 3].
        finder: Draws the boxes.
    """
    peak = float(heat.max())
    found = finder.find(heat, image)
    if found or peak <= 0:
        return found
    lifted = _CLEAR / peak
    found = finder.find(heat * np.float32(lifted), image)
    return [Detection(one.box, one.score / lifted) for one in found]


def verdict(judged: Judged) -> Verdict:
    """What counts of an image of which it is known whether it is defective."""
    defective = bool(judged.still.defective)
    return Verdict(judged.still.kind, defective, judged.score, judged.defects, judged.truth)
