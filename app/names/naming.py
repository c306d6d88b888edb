"""`nomaly name`: open-vocabulary names for image files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import batched
from typing import Any

from app.names.images import open_images
from app.progress import Reporter
from novic.bundle import Bundle
from novic.model import NounModel
from novic.vocabulary import NounScore

BATCH = 32
"""Images opened and named at once; bounds memory."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How much a noun is expected at the site whose decoder says it."""

    frequency: int
    surprise_bits: float
    """-log2 of its share of all frequencies."""


@dataclass(frozen=True, slots=True)
class NamedImage:
    """What an image file shows, or why it could not be read."""

    path: str
    nouns: Sequence[NounScore] = ()
    error: str = ""
    expected: Mapping[str, Expected] = field(default_factory=dict)
    """Of those nouns whose frequency at the site is known."""

    def as_json(self) -> dict[str, Any]:
        """The result as scripts read it; keys are stable."""
        if self.error:
            return {"path": self.path, "error": self.error}
        nouns = [[noun.noun, round(noun.p, 4)] for noun in self.nouns]
        if not self.expected:
            return {"path": self.path, "nouns": nouns}
        expected = {noun: asdict(known) for noun, known in self.expected.items()}
        return {"path": self.path, "nouns": nouns, "expected": expected}


def expected(bundle: Bundle, nouns: Sequence[NounScore]) -> dict[str, Expected]:
    """How much nouns are expected where a decoder is used; nothing if it knows no site."""
    found = {}
    for noun in nouns:
        bits = bundle.surprise_bits(noun.noun)
        if bits is not None and bundle.frequencies is not None:
            found[noun.noun] = Expected(bundle.frequencies[noun.noun], round(bits, 2))
    return found


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
                    nouns = next(named).nouns
                    yield NamedImage(file.path, nouns, expected=expected(model.bundle, nouns))
            done += len(batch)
            meter.to(done, f"{done} images")
