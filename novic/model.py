"""Images in, nouns out: an embedder and a decoder put together."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from novic.bundle import Bundle, BundleError, read_card
from novic.certainty import SCALED, Certainty, read_certainty
from novic.decode import DecodedNoun, NounDecoder
from novic.digest import file_sha256
from novic.embedder import Embedder, Pixels, Vectors
from novic.embedders.kinds import build_embedder
from novic.errors import UsageError
from novic.gencfg import GenConfig
from novic.guides import GuideList, read_guide
from novic.kinds import ANIMAL, LIKELY
from novic.later import LaterEmbedder
from novic.persons import (
    DOUBTED,
    PersonEvidence,
    Persons,
    find_persons,
    knows_people,
    with_person,
)
from novic.surrounded import Surrounded
from novic.upstream import compact_tokenizer, is_checkpoint, read_model_file
from novic.vocabulary import PERSON, Naming, NounScore

BATCH = 64
"""Images embedded and decoded at once."""


class NounModel:
    """Names images by open-vocabulary decoding."""

    def __init__(
        self,
        embedder: Embedder,
        decoder: NounDecoder,
        config: GenConfig | None = None,
        persons: PersonEvidence | None = None,
        wrong_names: float | None = None,
    ) -> None:
        """Put both together.

        Args:
            embedder: Images to vectors.
            decoder: Vectors to nouns.
            config: How nouns are searched; upstream's standard strategy by default.
            persons: Looks for people, where the embedder does not know them.
            wrong_names: See `ModelOptions`.

        Raises:
            BundleError: If the decoder was trained for another embedder.
            UsageError: If a share of wrong names is asked for, and nobody measured what p is worth.
        """
        bundle = decoder.bundle
        if embedder.width != bundle.decoder.config.width:
            raise BundleError(
                f"the decoder reads {bundle.decoder.config.width} components of "
                f"'{bundle.embedder}', but '{embedder.spec}' gives {embedder.width}"
            )
        self.embedder = embedder
        self.bundle = bundle
        self.decoder = decoder
        self._config = config or GenConfig()
        self.persons = persons
        self._wrong_names = wrong_names
        if wrong_names is not None and not self.certainty.measured:
            raise UsageError(
                "a share of wrong names needs a decoder and a strategy whose p was measured, as "
                "the starter's with the standard one (certainty.json beside a bundle); of this one "
                "nobody knows how often its names are wrong"
            )

    @property
    def persons(self) -> PersonEvidence | None:
        """What looks for people; None where nothing does."""
        return self._persons

    @persons.setter
    def persons(self, persons: PersonEvidence | None) -> None:
        self._persons = persons if self._can_say_person else None

    def begin(self) -> None:
        """Build the embedder from now on, where that is to come later; never waits."""
        if isinstance(self.embedder, LaterEmbedder):
            self.embedder.begin()

    @property
    def ready(self) -> bool:
        """Whether it names without waiting for its embedder; see `load_model`.

        Raises:
            novic.errors.NomalyError: If the embedder cannot be built.
        """
        return not isinstance(self.embedder, LaterEmbedder) or self.embedder.ready

    @property
    def certainty(self) -> Certainty:
        """When its best noun is told as a fact.

        The bundle's lines and scaling hold for its own probabilities and the candidates that it was
        measured with. Under strategies that sharpen them, share them out among a guide's nouns, or
        give none, nothing is; one that keeps fewer candidates has the usual lines.
        """
        config = self._config
        if not config.gives_probabilities or config.temperature != 1 or config.guide == "r":
            return Certainty(math.inf, math.inf)
        known = self.bundle.certainty if config.topk >= SCALED else Certainty()
        return known if self._wrong_names is None else known.at_most_wrong(self._wrong_names)

    @property
    def _can_say_person(self) -> bool:
        """Whether its words and probabilities leave room for the evidence of a person."""
        words = self.bundle.tokens if self.decoder.guide is None else self.decoder.guide
        return PERSON in words.nouns and self._config.gives_probabilities

    def name(
        self,
        images: Sequence[Pixels],
        top: int = 5,
        around: Sequence[Surrounded | None] = (),
    ) -> list[Naming]:
        """Name images.

        Args:
            images: N images, RGB uint8 [H, W, 3], any sizes.
            top: Candidates per image, best first.
            around: What each lies in, where that is known, N or none: people are looked for there.

        Returns:
            N results, each with up to `top` candidates.

        Raises:
            ValueError: If an image is not of that form or has no pixels.
            EmbedderError: If the embedder's model gives vectors that are not finite.
        """
        named = []
        for first in range(0, len(images), BATCH):
            vectors = self.embedder.embed_images(images[first : first + BATCH])
            named += self._answered(vectors, top)
        if self._persons is not None:
            around = around or [Surrounded.whole(image) for image in images]
            named = self._with_people(self._persons, named, around)
        return [self._judged(naming, top) for naming in named]

    def decode(self, vectors: Vectors, top: int = 5, seen: Sequence[Persons] = ()) -> list[Naming]:
        """Name images by their vectors.

        Args:
            vectors: Unit vectors of N images, float32 [N, F], from the decoder's embedder.
            top: Candidates per image, best first.
            seen: What was seen of people in each, N or none; left out where the decoder has no
                word for them.

        Raises:
            ValueError: If the vectors have another width or are not finite.
        """
        named = self._answered(vectors, top)
        if seen and self._can_say_person:
            named = [with_person(naming, one) for naming, one in zip(named, seen, strict=True)]
        return [self._judged(naming, top) for naming in named]

    def _answered(self, vectors: Vectors, top: int) -> list[Naming]:
        """All that the decoder thinks of vectors, at least `top` candidates, scaled."""
        config = self._config
        if config.method != "greedy":
            config = replace(config, topk=max(config.topk, top))
        answers = self.decoder.decode(vectors, config, wanted=max(top, SCALED))
        return [self._naming(row, vector) for row, vector in zip(answers, vectors, strict=True)]

    def _naming(self, answers: Sequence[DecodedNoun], vector: NDArray[np.float32]) -> Naming:
        nouns = tuple(NounScore(answer.noun, math.exp(answer.score)) for answer in answers)
        rest = max(0.0, 1 - sum(noun.p for noun in nouns))
        if self._config.gives_probabilities:
            nouns, rest = self.certainty.scaling.of(nouns, rest)
        else:
            rest = math.nan
        # A copy: who keeps one vector should not keep those of all images named with it.
        return Naming(nouns, vector.copy(), rest)

    def _with_people(
        self,
        persons: PersonEvidence,
        named: Sequence[Naming],
        around: Sequence[Surrounded | None],
    ) -> list[Naming]:
        """Namings with what is seen of people, farther around where that leaves a doubt."""
        seen = _seen(persons.look, around)
        mixed = [with_person(naming, one) for naming, one in zip(named, seen, strict=True)]
        pairs = zip(mixed, seen, around, strict=True)
        doubted = {id(thing) for naming, one, thing in pairs if self._doubts(naming, one.p)}
        wider = _seen(
            persons.look_wider, [thing if id(thing) in doubted else None for thing in around]
        )
        best = [max(both, key=lambda one: one.p) for both in zip(seen, wider, strict=True)]
        return [with_person(naming, one) for naming, one in zip(named, best, strict=True)]

    def _doubts(self, naming: Naming, p: float) -> bool:
        """Whether a thing may be a part of somebody, by its naming and by pi of him.

        Legs look like animals. What has no name is asked again if it looks like a person at all.
        """
        nouns = [(one.noun, one.p) for one in naming.nouns]
        if not nouns or self.certainty.sure(*nouns[0]):
            return False
        kind = self.certainty.kind(nouns)
        unnamed = kind is None or not kind.sure
        animal = self.certainty.kind_p(nouns).get(ANIMAL, 0.0)
        return animal >= LIKELY or (unnamed and p >= DOUBTED)

    def _judged(self, naming: Naming, top: int) -> Naming:
        """The best candidates, and what of them is told as a fact."""
        certainty = self.certainty
        kind = certainty.kind((noun.noun, noun.p) for noun in naming.nouns)
        nouns = certainty.joined(naming.nouns)
        rest = naming.rest + sum(noun.p for noun in nouns[top:])
        return replace(
            naming,
            nouns=nouns[:top],
            rest=min(rest, 1.0),
            sure=bool(nouns) and certainty.sure(nouns[0].noun, nouns[0].p),
            kind=kind,
        )


def _seen(
    look: Callable[[Surrounded], Persons], around: Sequence[Surrounded | None]
) -> list[Persons]:
    """What is seen of people in each, nobody where nothing is known; the same is seen once."""
    known: dict[int, Persons] = {}
    for one in around:
        if one is not None and id(one) not in known:
            known[id(one)] = look(one)
    return [Persons(0.0) if one is None else known[id(one)] for one in around]


def starter_bundle_path() -> Path:
    """Where the decoder lies that Nomaly ships."""
    return Path(str(files("novic") / "data" / "starter"))


def model_sha256(path: Path | None) -> str:
    """What tells decoders apart: SHA-256 of a checkpoint, or of a bundle's weights.

    Raises:
        BundleError: If there is neither.
    """
    path = path or starter_bundle_path()
    if not is_checkpoint(path):
        return read_card(path)["weights_sha256"]
    return file_sha256(path)


def model_certainty(path: Path | None) -> Certainty:
    """What p of a decoder mean, without opening it: as `NounModel.certainty` by standard options.

    Args:
        path: Of a checkpoint or a bundle; None for what Nomaly ships.

    Raises:
        BundleError: If there is neither.
        ValueError: If what was measured of a bundle is damaged.
        OSError: If it cannot be read.
    """
    path = path or starter_bundle_path()
    return Certainty() if is_checkpoint(path) else read_certainty(path, model_sha256(path))


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a decoder is used, and where what it needs lies."""

    config: GenConfig | None = None
    """How nouns are searched; upstream's standard strategy by default."""
    guide: Sequence[str] = ()
    """Nouns that alone may be said; empty for the whole vocabulary."""
    spellings: Callable[[str], Sequence[str]] = lambda _: ()
    """See `novic.guides.read_guide`."""
    embedder: str | None = None
    """Spec of the same embedder from elsewhere; by default as the decoder names it."""
    tokenizer: Path | None = None
    """Folder of the embedder's tokenizer.json, if it is nowhere else."""
    persons: bool = True
    """Whether people are looked for where the embedder does not know them."""
    wrong_names: float | None = None
    """The share of names and kinds, 0 to 1, that may be wrong at the line from which on they are
    told as facts; None for the decoder's own lines."""


def load_model(
    path: Path | None,
    device: torch.device,
    options: ModelOptions | None = None,
    *,
    embedder: Embedder | None = None,
    many_images: bool = False,
    later: bool = False,
) -> NounModel:
    """Load a decoder and the embedder it names.

    Args:
        path: Folder of a bundle or a checkpoint; None for the one that Nomaly ships.
        device: Where both run.
        options: How the decoder is used.
        embedder: The decoder's embedder where it is open already: sites on one machine share it.
        many_images: Make ready for many images now, rather than in the middle of them.
        later: Build the embedder on a thread, ready for many images, when `NounModel.begin` says so
            or something is to be named, which waits for it. Only on a CPU: a GPU without room must
            be told at once.

    Raises:
        BundleError: If the bundle cannot be read, or the open embedder is another than it names.
        CheckpointError: If the checkpoint cannot be used.
        EmbedderError: If its embedder cannot be built here.
        GuideError: If no noun of the guide can be said.
        UsageError: See `NounModel`.
    """
    options = options or ModelOptions()
    bundle = read_model_file(path or starter_bundle_path(), device, tokenizer=options.tokenizer)
    decoder = open_decoder(bundle, options)
    spec = options.embedder or bundle.embedder
    if embedder is None and later and device.type == "cpu":
        return _model_later(spec, decoder, options)
    if embedder is None:
        embedder = build_embedder(spec, device)
    elif embedder.spec != spec:
        raise BundleError(
            f"the decoder reads vectors of '{spec}', but the embedder that is open is "
            f"'{embedder.spec}': open '{spec}' for it"
        )
    persons = _persons_for(spec, options)
    model = NounModel(embedder, decoder, options.config, persons, options.wrong_names)
    if many_images:
        model.embedder.warm_up()
    return model


def _persons_for(spec: str, options: ModelOptions) -> PersonEvidence | None:
    return find_persons() if options.persons and not knows_people(spec) else None


def _model_later(spec: str, decoder: NounDecoder, options: ModelOptions) -> NounModel:
    """A model on the CPU whose embedder is built meanwhile."""
    whole: Future[NounModel] = Future()

    def build() -> Embedder:
        embedder = build_embedder(spec, torch.device("cpu"))
        persons = _persons_for(spec, options)
        embedder.warm_up()
        # Before anything is named: all that names asks the embedder first.
        whole.result().persons = persons
        return embedder

    later = LaterEmbedder(spec, decoder.bundle.decoder.config.width, build)
    try:
        model = NounModel(later, decoder, options.config, None, options.wrong_names)
    except BaseException:
        whole.cancel()
        raise
    whole.set_result(model)
    return model


def open_decoder(bundle: Bundle, options: ModelOptions | None = None) -> NounDecoder:
    """Make a bundle ready to decode, with its tokenizer where that can be had.

    Raises:
        BundleError: If the given tokenizer is not the bundle's.
        GuideError: If no noun of the guide can be said.
    """
    options = options or ModelOptions()
    try:
        text = compact_tokenizer(bundle, options.tokenizer)
    except BundleError:
        # Naming nouns of the vocabulary needs none.
        if options.tokenizer is not None:
            raise
        text = None
    nouns: GuideList | None = None
    if options.guide:
        encode = text.encode if text is not None else lambda _: None
        nouns = read_guide(options.guide, bundle.tokens, spellings=options.spellings, encode=encode)
    return NounDecoder(bundle, guide=nouns, text=text.decode if text is not None else None)
