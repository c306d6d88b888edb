"""Vectors in, scored nouns out, by any strategy of `novic.gencfg`.

What a score means depends on the guide. `gp`: log of the probability that the decoder says exactly
this noun; over all nouns they sum to less than 1, the rest is what it would have said otherwise.
`gr`: log of the probability of this noun given that one of the guide is said, step by step; over
the guide they sum to 1. `gn`: as `gp`, but whatever is likely is said, noun or not. A prior or a
length exponent turns scores into rankings that are no probabilities.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from novic.bundle import Bundle
from novic.embedder import Vectors
from novic.errors import UsageError
from novic.exact_upstream import exact_search
from novic.free import free_search
from novic.gencfg import GenConfig, GenConfigError
from novic.generate import beam_search, score_nouns
from novic.guides import GuideList
from novic.packed import for_inference
from novic.priors import edge_bonus
from novic.trie import build_trie

AT_ONCE = 256
"""Vectors decoded at once; bounds memory where every noun is scored."""
EXACT_AT_ONCE = 16
"""The same for upstream's own answers, whose tables grow with beams times nouns."""


class Kind(IntEnum):
    """Where a said noun stands (novic_spec §8.7); 0, "correct", is not the decoder's to know."""

    GUIDE = 1
    VOCABULARY = 2
    OTHER = 3


@dataclass(frozen=True, slots=True)
class DecodedNoun:
    """One answer of the decoder."""

    noun: str
    score: float
    """See the module; `exp(score)` is a probability without prior and length exponent."""
    kind: Kind


class NounDecoder:
    """A decoder with its vocabulary, and perhaps a guide list."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        guide: GuideList | None = None,
        text: Callable[[Sequence[int]], str] | None = None,
    ) -> None:
        """Make a bundle ready to decode.

        Args:
            bundle: Decoder and vocabulary.
            guide: Nouns that alone may be said by guided strategies; the vocabulary by default.
            text: Compact tokens up to END to text, for what is no noun: free generation and
                upstream's own spelling need it.
        """
        self.bundle = bundle
        self.guide = guide
        self._text = text
        self._decoder = for_inference(bundle.decoder)
        self._device = bundle.decoder.token_table.weight.device
        self._vocabulary = bundle.trie()
        self._trie = build_trie(guide.tokens).to(self._device) if guide else self._vocabulary
        self._known = frozenset(bundle.tokens.nouns)
        self._guided = frozenset(guide.nouns) if guide else self._known
        self._noun_of: dict[bytes, str] = {}

    def decode(
        self, vectors: Vectors, config: GenConfig, wanted: int | None = None
    ) -> list[list[DecodedNoun]]:
        """Name vectors.

        Args:
            vectors: N vectors [N, F]; their length does not matter.
            config: How to search.
            wanted: How many of the best are of interest; fewer may be faster.

        Returns:
            For each vector up to `config.topk` (or `wanted`) answers, best first, all finite.

        Raises:
            UsageError: If the vectors have another width or are not finite.
            GenConfigError: If the strategy needs a tokenizer and there is none.
        """
        rows = self._rows(vectors)
        return [
            answer
            for chunk in rows.split(AT_ONCE)
            if len(chunk)
            for answer in self._decode(chunk, config, wanted)
        ]

    def _decode(
        self, rows: Tensor, config: GenConfig, wanted: int | None
    ) -> list[list[DecodedNoun]]:
        if config.guide == "n" and not config.has_prior:
            return self._free(rows, config, wanted)
        # A prior is that of the vocabulary, and forbids whatever is outside it.
        trie = self._vocabulary if config.guide == "n" else self._trie
        bonus = edge_bonus(config, trie, self._vocabulary)
        if config.method == "all":
            every = score_nouns(self._decoder, trie, rows, config.decoding(), bonus=bonus)
            scores, nouns = every.topk(min(config.topk, every.shape[1]), dim=1)
        else:
            found = beam_search(
                self._decoder, trie, rows, config.decoding(), bonus=bonus, wanted=wanted
            )
            scores, nouns = found.scores, found.nouns
        names = self.bundle.tokens.nouns
        if self.guide is not None and trie is self._trie:
            names = self.guide.nouns
        return [
            [
                self._answer(names[noun], score)
                for noun, score in zip(row, values, strict=True)
                if np.isfinite(score)
            ][:wanted]
            for row, values in zip(nouns.tolist(), scores.tolist(), strict=True)
        ]

    def decode_as_upstream(self, vectors: Vectors, config: GenConfig) -> list[list[DecodedNoun]]:
        """Name vectors with upstream's own answers, its defects included; slow.

        Args:
            vectors: N vectors [N, F], as `decode` takes them.
            config: Strategy, and how many answers.

        Returns:
            For each vector `config.topk` answers in upstream's order; scores may be NaN or -inf.

        Raises:
            UsageError: If the vectors have another width or are not finite.
            GenConfigError: If there is no tokenizer, or upstream itself fails on this strategy.
        """
        rows = self._rows(vectors)
        return [
            answer
            for chunk in rows.split(EXACT_AT_ONCE)
            if len(chunk)
            for answer in self._decode_as_upstream(chunk, config)
        ]

    def _decode_as_upstream(self, rows: Tensor, config: GenConfig) -> list[list[DecodedNoun]]:
        nouns = self.bundle.tokens if self.guide is None else self.guide
        if config.method == "all":
            if config.topk > len(nouns.nouns):
                raise GenConfigError(
                    f"{config.name}: upstream fails when k is more than the "
                    f"{len(nouns.nouns)} nouns of the guide"
                )
            bonus = edge_bonus(config, self._trie, self._vocabulary)
            every = score_nouns(self._decoder, self._trie, rows, config.decoding(), bonus=bonus)
            best = every.topk(config.topk, dim=1)
            scores = best.values
            tokens = torch.from_numpy(nouns.tokens)[best.indices.cpu()]
        else:
            vocabulary, guide = (
                torch.from_numpy(table.tokens).to(self._device)
                for table in (self.bundle.tokens, nouns)
            )
            tokens, scores = exact_search(self.bundle.decoder, vocabulary, guide, rows, config)
        return [
            [self._answer(self._spell(t), s) for t, s in zip(said, values, strict=True)]
            for said, values in zip(tokens.tolist(), scores.tolist(), strict=True)
        ]

    def _free(self, rows: Tensor, config: GenConfig, wanted: int | None) -> list[list[DecodedNoun]]:
        found = free_search(self._decoder, rows, config.decoding())
        return [
            [
                self._answer(self._noun_or_text(tokens), score)
                for tokens, score in zip(said, values, strict=True)
                if np.isfinite(score)
            ][:wanted]
            for said, values in zip(found.tokens.tolist(), found.scores.tolist(), strict=True)
        ]

    def _answer(self, noun: str, score: float) -> DecodedNoun:
        known = Kind.VOCABULARY if noun in self._known else Kind.OTHER
        return DecodedNoun(noun, score, Kind.GUIDE if noun in self._guided else known)

    def _noun_or_text(self, tokens: list[int]) -> str:
        """The noun that has these tokens, as it is spelt, or else the text that they make."""
        if not self._noun_of:
            for table in (self.bundle.tokens, self.guide):
                if table is not None:
                    rows = (row.tobytes() for row in table.tokens)
                    self._noun_of.update(zip(rows, table.nouns, strict=True))
        noun = self._noun_of.get(np.array(tokens, dtype=np.int64).tobytes())
        return noun if noun is not None else self._spell(tokens)

    def _spell(self, tokens: list[int]) -> str:
        if self._text is None:
            raise GenConfigError(
                f"the bundle for '{self.bundle.embedder}' has no tokenizer here, so only its nouns "
                "can be told from tokens; use a guided strategy (gp or gr)"
            )
        return self._text(tokens)

    def _rows(self, vectors: Vectors) -> Tensor:
        """Vectors on the device, checked."""
        width = self.bundle.decoder.config.width
        if vectors.ndim != 2 or vectors.shape[1] != width:
            raise UsageError(
                f"the decoder reads vectors [N, {width}] of '{self.bundle.embedder}', "
                f"these are {list(vectors.shape)}; embed with that embedder"
            )
        bad = ~np.isfinite(vectors).all(axis=1) | ~vectors.any(axis=1)
        if bad.any():
            raise UsageError(
                f"vector {int(bad.argmax())} is zero or holds values that are not finite numbers "
                f"({int(bad.sum())} of {len(vectors)} do); embed those images again"
            )
        return torch.from_numpy(np.ascontiguousarray(vectors, dtype=np.float32)).to(self._device)
