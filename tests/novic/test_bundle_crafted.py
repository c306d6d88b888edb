"""Bundles that others made on purpose: each fault told before it costs memory or a run."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from novic.bundle import Bundle, BundleError, load_bundle, save_bundle
from novic.digest import file_sha256
from tests.limited import run_limited
from tests.novic.builders import random_decoder, random_nouns

TOKENS = random_nouns(50, vocabulary=20, longest=4)

type Card = dict[str, Any]
type Alter = Callable[[Card, dict[str, Tensor], list], object]
"""Changes card, weights or rows; a text that it gives is nouns.json instead."""


def craft(folder: Path, alter: Alter) -> Path:
    """A bundle whose checksums are right, whatever else is not."""
    save_bundle(folder, Bundle(random_decoder(TOKENS), TOKENS, "starter"), half=False)
    card = json.loads((folder / "bundle.json").read_text())
    weights = load_file(folder / "decoder.safetensors")
    table = json.loads((folder / "nouns.json").read_text())
    said = alter(card, weights, table)
    save_file(weights, folder / "decoder.safetensors")
    text = said if isinstance(said, str) else json.dumps(table)
    (folder / "nouns.json").write_text(text)
    card["weights_sha256"] = file_sha256(folder / "decoder.safetensors")
    card["nouns_sha256"] = file_sha256(folder / "nouns.json")
    del card["card_sha256"]
    sum_of_card = hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()
    (folder / "bundle.json").write_text(json.dumps(card | {"card_sha256": sum_of_card}))
    return folder


def sizes(**said: object) -> Alter:
    return lambda card, *_: card["decoder"].update(said)


def says(**said: object) -> Alter:
    return lambda card, *_: card.update(said)


def weight(name: str, value: float) -> Alter:
    return lambda _, weights, __: weights[name].view(-1)[0:1].fill_(value)


def token(row: int, column: int, value: int) -> Alter:
    def alter(_: Card, weights: dict[str, Tensor], __: list) -> None:
        weights["nouns.tokens"][row, column] = value

    return alter


def replaced(name: str, by: Tensor) -> Alter:
    return lambda _, weights, __: weights.update({name: by})


def noun(row: int, value: object) -> Alter:
    def alter(_: Card, __: dict[str, Tensor], table: list) -> None:
        table[row][0] = value

    return alter


def same_tokens(_: Card, weights: dict[str, Tensor], __: list) -> None:
    weights["nouns.tokens"][1] = weights["nouns.tokens"][0]


def no_end(_: Card, weights: dict[str, Tensor], __: list) -> None:
    weights["nouns.tokens"][0] = 1


FAULTS: dict[str, tuple[Alter, str]] = {
    "hidden": (sizes(hidden=200_000, heads=1), "should be .* by the sizes of the card"),
    "layers": (sizes(layers=10**6), "a decoder of 1000000 layers"),
    "more layers": (sizes(layers=200), r"weight layers\.1.*attention_in.* is absent"),
    "no layer": (sizes(layers=0), "decoder layers must be at least 1"),
    "feedforward": (sizes(feedforward=10**9), "by the sizes of the card"),
    "endless": (sizes(feedforward=10**30), "not a readable decoder bundle"),
    "positions": (sizes(prefix=10**6), "and 1000003 positions is not read"),
    "vocabulary": (sizes(vocabulary=10**9), "by the sizes of the card"),
    "width": (sizes(width=10**9), "by the sizes of the card"),
    "fraction": (sizes(hidden=16.0), "decoder hidden is 16.0, not a whole number"),
    "text": (sizes(hidden="16"), "decoder hidden is '16', not a whole number"),
    "unknown": (sizes(wings=2), "wings"),
    "dropout": (sizes(dropout=float("nan")), "dropout is nan"),
    "no sizes": (says(decoder=[1]), r"decoder is \[1\], not its sizes"),
    "embedder": (says(embedder=5), "embedder is 5, not a str"),
    "provenance": (says(provenance="x"), "provenance is 'x', not a dict"),
    "NaN": (weight("token_table.weight", float("nan")), "token_table.weight holds values that are"),
    "inf": (weight("final_norm.weight", float("inf")), "final_norm.weight holds values that are"),
    "whole weights": (
        replaced("final_norm.weight", torch.ones(32, dtype=torch.int32)),
        "final_norm.weight holds values that are not",
    ),
    "high token": (token(3, 0, 99), "a token is outside the vocabulary of 20"),
    "low token": (token(3, 0, -1), "a token is outside the vocabulary"),
    "no token": (token(3, 0, 0), "a noun has no tokens, or no end of them"),
    "no end": (no_end, "a noun has no tokens, or no end of them"),
    "two alike": (same_tokens, "two nouns have the same tokens"),
    "tokens of floats": (
        replaced("nouns.tokens", torch.ones(50, 5)),
        "tokens are no whole numbers",
    ),
    "tokens in a row": (
        replaced("nouns.tokens", torch.ones(50, dtype=torch.int16)),
        "are not those",
    ),
    "sources": (replaced("nouns.source_ids", torch.ones(3, dtype=torch.int32)), "source ids"),
    "deep": (lambda *_: "[" * 200_000, "is nested too deeply"),
    "mapping": (lambda *_: '{"a": 1}', "rows must be a noun, a list of kinds"),
    "numbers": (noun(2, 7), "rows must be a noun, a list of kinds"),
    "bell": (noun(2, "\x1b[31m\a"), "rows must be a noun, a list of kinds"),
    "twice": (noun(2, TOKENS.nouns[0]), "a noun stands there twice"),
}

IMPORTS = """
import sys
from pathlib import Path
import torch
from novic.bundle import BundleError, load_bundle
"""
LOAD = """
for folder in sys.argv[1:]:
    try:
        load_bundle(Path(folder))
    except BundleError as error:
        print(error.exit_code, str(error).replace("\\n", " "), sep="|")
"""


def test_every_fault_is_told_in_little_memory(tmp_path: Path):
    folders = [craft(tmp_path / name, alter) for name, (alter, _) in FAULTS.items()]
    told = run_limited(IMPORTS, LOAD, *folders, more_bytes=256 << 20).splitlines()
    assert len(told) == len(FAULTS)
    for line, folder, (_, reason) in zip(told, folders, FAULTS.values(), strict=True):
        code, said = line.split("|", 1)
        assert code == "4"
        assert said.startswith(str(folder))
        assert re.search(reason, said), said


def test_the_shapes_of_weights_are_those_of_a_decoder():
    decoder = random_decoder(TOKENS)
    shapes = {name: tuple(weight.shape) for name, weight in decoder.state_dict().items()}
    assert decoder.config.weight_shapes() == shapes


def test_a_card_of_depth_or_length_is_told(tmp_path: Path):
    folder = craft(tmp_path / "bundle", lambda *_: None)
    load_bundle(folder)
    for text, reason in (
        ("[" * 200_000, "cannot be read: is nested too deeply"),
        (" " * (9 << 20), r"cannot be read: is larger than 8,388,608 bytes"),
    ):
        (folder / "bundle.json").write_text(text)
        with pytest.raises(BundleError, match=reason):
            load_bundle(folder)
