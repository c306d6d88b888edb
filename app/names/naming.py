"""`nomaly name`: open-vocabulary names for image files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import batched
from typing import TYPE_CHECKING, Any

from app.names.images import open_images
from app.progress import Reporter
from novic.certainty import guesses, headline, headline_p
from novic.synonyms import further_words
from novic.vocabulary import NounScore, ThingKind

if TYPE_CHECKING:  # what is wrong with the files is told before torch is loaded
    from novic.bundle import Bundle
    from novic.model import NounModel

BATCH = 8
"""Images named at once; what Ctrl-C loses."""


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
    sure: bool = False
    """Whether the best noun is told as a fact."""
    thing: ThingKind | None = None
    """What kind of thing it is, where the decoder tells that."""
    people: int = 0
    """How many people were seen; 0 if none, or if nobody looked for them."""

    @property
    def headline(self) -> str:
        """What is told first: the best noun if it is sure, else its kind, or UNNAMED."""
        noun = self.nouns[0].noun if self.nouns else ""
        return headline(noun, self.thing, sure=self.sure, people=self.people)

    @property
    def headline_p(self) -> float | None:
        """Probability of what the headline says; None where that is nothing."""
        return headline_p(self.nouns[0].p if self.nouns else 0.0, self.thing, sure=self.sure)

    @property
    def guesses(self) -> Sequence[tuple[str, float]]:
        """What it may be besides the headline: its likely kind, then nouns."""
        return guesses(((one.noun, one.p) for one in self.nouns), self.thing, sure=self.sure)

    def as_json(self) -> dict[str, Any]:
        """The result as scripts read it; keys are stable."""
        if self.error:
            return {"path": self.path, "error": self.error}
        nouns = [[noun.noun, round(noun.p, 4)] for noun in self.nouns]
        told = {"path": self.path, "nouns": nouns, "sure": self.sure, "headline": self.headline}
        if self.thing is not None:
            told["is_a"] = self.thing.as_json()
        if self.nouns and (words := further_words(self.nouns[0].noun)):
            told["also"] = [*words]
        if self.people:
            told["people"] = self.people
        if not self.expected:
            return told
        expected = {noun: asdict(known) for noun, known in self.expected.items()}
        return {**told, "expected": expected}


def expected(bundle: "Bundle", nouns: Sequence[NounScore]) -> dict[str, Expected]:
    """How much nouns are expected where a decoder is used; nothing if it knows no site."""
    found = {}
    for noun in nouns:
        bits = bundle.surprise_bits(noun.noun)
        if bits is not None and bundle.frequencies is not None:
            found[noun.noun] = Expected(bundle.frequencies[noun.noun], round(bits, 2))
    return found


def name_images(
    load: Callable[[], "NounModel"], paths: Sequence[str], top: int, reporter: Reporter
) -> Iterator[NamedImage]:
    """Name images in order; broken files are reported in their place.

    Args:
        load: Gives what names them; called once there is an image that can be read.
        paths: Files, or `-` for standard input.
        top: Nouns for each.
        reporter: Told how many are done.
    """
    model: NounModel | None = None
    with reporter.task("Naming images", len(paths)) as meter:
        done = 0
        for batch in batched(open_images(paths), BATCH):
            pixels = [file.image for file in batch if file.image is not None]
            if pixels and model is None:
                meter.to(done, "loading what names them")
                model = load()
            named = iter(model.name(pixels, top) if model is not None else ())
            for file in batch:
                if file.image is None or model is None:
                    yield NamedImage(file.path, error=file.error)
                else:
                    naming = next(named)
                    yield NamedImage(
                        file.path,
                        naming.nouns,
                        expected=expected(model.bundle, naming.nouns),
                        sure=naming.sure,
                        thing=naming.kind,
                        people=naming.people,
                    )
            done += len(batch)
            meter.to(done, f"{done} of {len(paths)}")
