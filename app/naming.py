"""`nomaly name`: open-vocabulary names for image files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from app.images import open_images
from app.progress import Reporter
from novic.model import NounModel, NounScore

BATCH = 32
"""Images opened and named at once; bounds memory."""


@dataclass(frozen=True, slots=True)
class NamedImage:
    """What an image file shows, or why it could not be read."""

    path: str
    nouns: list[NounScore] = field(default_factory=list)
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        """The result as scripts read it; keys are stable."""
        if self.error:
            return {"path": self.path, "error": self.error}
        return {"path": self.path, "nouns": [[noun.noun, round(noun.p, 4)] for noun in self.nouns]}


def name_images(
    model: NounModel, paths: Sequence[str], top: int, reporter: Reporter
) -> Iterator[NamedImage]:
    """Name images, in the order they are found; broken files are reported in their place.

    Args:
        model: Names them.
        paths: Files, folders, or `-` for standard input.
        top: Nouns for each.
        reporter: Told how many are done.
    """
    done = 0
    with reporter.task("Naming images") as meter:
        for batch in batched(open_images(paths), BATCH):
            named = iter(model.name([f.image for f in batch if f.image is not None], top))
            for file in batch:
                if file.image is None:
                    yield NamedImage(file.path, error=file.error)
                else:
                    yield NamedImage(file.path, next(named))
            done += len(batch)
            meter.to(done, f"{done} images")
