"""What a decoder bundle must be, whoever made it: checked before anything of its sizes is made.

Its SHA-256 covers damage, not intent: bundles come along in scenarios of other people.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from novic.decoder import DecoderConfig
from novic.tokens import END, NounTokens

MOST_PARAMETERS = 1 << 29
"""2 GiB as float32; upstream's largest decoder has a tenth."""
MOST_LAYERS = 256
MOST_POSITIONS = 4096
"""Every position sees every other one, so they count squared."""


def checked_sizes(said: object, shapes: Mapping[str, Sequence[int]]) -> DecoderConfig:
    """The sizes that a card tells, once they are those of the weights.

    Args:
        said: What the card says of the decoder.
        shapes: Of all weights, from the head of their file.

    Raises:
        ValueError: If they are not, or beyond what is read.
        TypeError: If there is an unknown size, or one is no number.
        novic.errors.UsageError: If a size cannot work.
    """
    if not isinstance(said, dict):
        raise TypeError(f"decoder is {said!r}, not its sizes")
    wrong = [name for name, size in said.items() if name != "dropout" and type(size) is not int]
    if wrong:
        raise TypeError(f"decoder {wrong[0]} is {said[wrong[0]]!r}, not a whole number")
    config = DecoderConfig(**said)
    if not 0 <= config.dropout <= 1:
        raise ValueError(f"decoder dropout is {config.dropout}, not a share")
    if config.layers > MOST_LAYERS or config.positions > MOST_POSITIONS:
        raise ValueError(
            f"a decoder of {config.layers} layers and {config.positions} positions is not read; "
            f"at most {MOST_LAYERS} and {MOST_POSITIONS}"
        )
    if sum(int(np.prod(shape, dtype=object)) for shape in shapes.values()) > MOST_PARAMETERS:
        raise ValueError(f"its weights are more than {MOST_PARAMETERS:,} numbers")
    wanted = config.weight_shapes()
    found = {name: tuple(shape) for name, shape in shapes.items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise ValueError(
                f"weight {name} should be {wanted.get(name, 'absent')} by the sizes of the card, "
                f"and is {found.get(name, 'absent')}"
            )
    return config


def said_as[T](card: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """What a card says, if it is of the kind that it must be.

    Raises:
        KeyError: If it says nothing.
        TypeError: If it is of another kind.
    """
    value = card[key]
    if not isinstance(value, kind):
        raise TypeError(f"{key} is {value!r}, not a {kind.__name__}")
    return value


def check_finite(weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that name nothing.

    Raises:
        ValueError: If one is not a floating point number, or infinite or NaN.
    """
    for name, weight in weights.items():
        if not weight.is_floating_point() or not torch.isfinite(weight.float()).all():
            raise ValueError(f"weight {name} holds values that are not finite numbers")


def checked_table(table: object) -> list[Any]:
    """The rows of nouns.json: noun, the kinds that it is one of, perhaps a frequency.

    Raises:
        ValueError: If a row is of another form, or a noun is empty, there twice or not printable.
    """
    if not isinstance(table, list) or not all(_is_row(row) for row in table):
        raise ValueError("nouns.json: rows must be a noun, a list of kinds and perhaps a frequency")
    if len({row[0] for row in table}) != len(table):
        raise ValueError("nouns.json: a noun stands there twice")
    return table


def _is_row(row: object) -> bool:
    if not isinstance(row, list) or not 2 <= len(row) <= 3 or not isinstance(row[1], list):
        return False
    words = (row[0], *row[1])
    return all(isinstance(word, str) and word and word.isprintable() for word in words)


def check_tokens(nouns: NounTokens, config: DecoderConfig) -> None:
    """Refuse tokens that the decoder cannot say.

    Raises:
        ValueError: If their table has another shape than decoder and nouns ask for, an id is
            outside the vocabulary, a row is empty or not ended, or two are the same.
    """
    tokens, sources = nouns.tokens, nouns.source_ids
    if tokens.shape != (len(nouns.nouns), config.max_tokens) or not len(tokens):
        raise ValueError(
            f"tokens {tokens.shape} are not those of {len(nouns.nouns)} nouns of up to "
            f"{config.max_tokens} tokens"
        )
    if sources.shape != (config.vocabulary,) or sources.min() < 0:
        raise ValueError(f"source ids {sources.shape} are not those of {config.vocabulary} tokens")
    if tokens.min() < 0 or tokens.max() >= config.vocabulary:
        raise ValueError(f"a token is outside the vocabulary of {config.vocabulary}")
    ended = np.logical_or.accumulate(tokens == END, axis=1)
    if (tokens[:, 0] == END).any() or not ended[:, -1].all() or (tokens[ended] != END).any():
        raise ValueError("a noun has no tokens, or no end of them")
    row = np.dtype((np.void, tokens.itemsize * tokens.shape[1]))
    rows = np.ascontiguousarray(tokens).view(row)
    if len(np.unique(rows)) != len(tokens):
        raise ValueError("two nouns have the same tokens")
