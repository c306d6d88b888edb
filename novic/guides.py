"""Lists of nouns that alone may be said: from what people type to what the decoder can say.

People write "T-shirts" and "aeroplane"; the decoder says "t shirt" and "airplane". A typed noun is
looked for in the vocabulary in its canonical form, then among all spellings and plurals of the
noun dictionary, then as a regular plural. A noun that was never trained can still be said if its
word pieces were.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from novic.errors import NomalyError
from novic.tokens import END, NounTokens
from novic.vocabulary import sanitised


class GuideError(NomalyError):
    """A guide list holds no noun that the decoder can say."""

    exit_code = 2


@dataclass(frozen=True, slots=True, eq=False)
class GuideList:
    """Nouns that may be said."""

    nouns: tuple[str, ...]
    """As the decoder says them, distinct, in the order they were given."""
    tokens: NDArray[np.int64]
    """Their compact tokens [W, C], END to the right edge."""
    untrained: tuple[str, ...]
    """Those of them that the decoder was never trained to say."""
    unknown: tuple[tuple[str, str], ...]
    """What was typed and left out, each with the reason."""


def read_guide(
    typed: Iterable[str],
    tokens: NounTokens,
    *,
    spellings: Callable[[str], Sequence[str]] = lambda _: (),
    encode: Callable[[str], Sequence[int] | None] = lambda _: None,
) -> GuideList:
    """Find the nouns that people mean.

    Args:
        typed: Nouns in any spelling; empty ones and repeats are ignored.
        tokens: The decoder's vocabulary.
        spellings: Target nouns of the dictionary that a text is a spelling or a plural of.
        encode: Compact tokens of a noun without END, or None if the decoder lacks a piece.

    Raises:
        GuideError: If none of them can be said.
    """
    number = {noun: place for place, noun in enumerate(tokens.nouns)}
    found: dict[tuple[int, ...], str] = {}
    untrained, unknown = [], []
    for text in typed:
        noun = sanitised(text)
        if not noun:
            continue
        known = [noun] if noun in number else [n for n in spellings(text) if n in number]
        known = known or [n for n in _singulars(noun) if n in number][:1]
        rows = [tuple(tokens.tokens[number[n]].tolist()) for n in known]
        if not known:
            row, reason = _spell(noun, tokens.max_tokens, encode)
            if row is None:
                unknown.append((text, reason))
                continue
            known, rows = [noun], [row]
            if row not in found:
                untrained.append(noun)
        for name, row in zip(known, rows, strict=True):
            found.setdefault(row, name)
    if not found:
        listed = "; ".join(f"'{text}' {reason}" for text, reason in unknown[:5])
        raise GuideError(f"the guide list holds no noun that the decoder can say{_tail(listed)}")
    return GuideList(
        tuple(found.values()),
        np.array(list(found), dtype=np.int64),
        tuple(untrained),
        tuple(unknown),
    )


def _singulars(noun: str) -> list[str]:
    """What a regular English plural may be of, for want of a dictionary."""
    endings = (("ies", "y"), ("s", ""), ("es", ""))
    return [
        noun.removesuffix(plural) + singular
        for plural, singular in endings
        if noun.endswith(plural)
    ]


def _spell(
    noun: str, longest: int, encode: Callable[[str], Sequence[int] | None]
) -> tuple[tuple[int, ...] | None, str]:
    """Tokens of a noun outside the vocabulary, or why it has none."""
    said = encode(noun)
    if not said:
        return None, "is not in the vocabulary and has word pieces that the decoder lacks"
    if len(said) >= longest:
        return None, f"has {len(said)} word pieces, the decoder says at most {longest - 1}"
    return (*said, *[END] * (longest - len(said))), ""


def _tail(text: str) -> str:
    return f": {text}" if text else ": it is empty"
