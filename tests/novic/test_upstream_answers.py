"""Every answer that was recorded from the upstream program, reproduced."""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from novic.decode import DecodedNoun, Kind, NounDecoder
from novic.gencfg import GenConfig, GenConfigError, parse_gencfg
from novic.guides import GuideList, read_guide
from novic.upstream import compact_tokenizer, load_checkpoint

PARITY = Path(__file__).parents[1] / "data" / "parity"
VECTORS = np.load(PARITY / "embeddings_small.npy")
RECORDED = json.loads((PARITY / "expected_small.json").read_text())
EXTRA = json.loads((PARITY / "expected_extra_small.json").read_text())["small"]
BUNDLE = load_checkpoint(PARITY / "small.train")
TOKENIZER = compact_tokenizer(BUNDLE)
LONGEST = frozenset(
    noun
    for noun, length in zip(BUNDLE.tokens.nouns, BUNDLE.tokens.lengths(), strict=True)
    if length == BUNDLE.tokens.max_tokens
)
CLOSE = 1e-4


@cache
def decoder(guide: tuple[str, ...] | None = None) -> NounDecoder:
    return NounDecoder(BUNDLE, guide=guide_list(guide), text=TOKENIZER.decode)


def guide_list(nouns: tuple[str, ...] | None) -> GuideList | None:
    return None if nouns is None else read_guide(nouns, BUNDLE.tokens, encode=TOKENIZER.encode)


def assert_same(found: list[list[DecodedNoun]], recorded: list[list[list[Any]]]):
    assert len(found) == len(recorded)
    for ours, theirs in zip(found, recorded, strict=True):
        scores = [float(score) for _, score, _ in theirs]
        np.testing.assert_allclose([noun.score for noun in ours], scores, atol=CLOSE, rtol=0)
        assert [noun.kind for noun in ours] == [kind for _, _, kind in theirs]
        for place, noun in enumerate(ours):
            # Neighbours that differ by less than the tolerance may change places.
            tied = [
                theirs[other][0]
                for other in range(len(theirs))
                if other == place or abs(scores[other] - scores[place]) < CLOSE
            ]
            assert noun.noun in tied


def guides(row: dict[str, Any]) -> tuple[str, ...] | None:
    return tuple(row["guide_nouns"]) if row["guide_nouns"] else None


@pytest.mark.parametrize("name", RECORDED)
def test_upstreams_answers_over_the_whole_vocabulary(name: str):
    found = decoder().decode_as_upstream(VECTORS, parse_gencfg(name))
    assert_same(found, RECORDED[name])


@pytest.mark.parametrize("row", EXTRA, ids=lambda row: f"{row['guide']}-{row['gencfg']}")
def test_upstreams_answers_with_guide_lists_and_degenerate_strategies(row: dict[str, Any]):
    config = parse_gencfg(row["gencfg"])
    if "error" in row:
        with pytest.raises(GenConfigError, match="upstream fails when k is more than"):
            decoder(guides(row)).decode_as_upstream(VECTORS, config)
        return
    vectors = VECTORS[: len(row["pred"])]
    assert_same(decoder(guides(row)).decode_as_upstream(vectors, config), row["pred"])


def exhaustive(config: GenConfig, guide: tuple[str, ...] | None) -> list[dict[str, float]]:
    """The score of every noun of the guide, by the strategy that upstream has no defect in."""
    nouns = guide or BUNDLE.tokens.nouns
    whole = GenConfig(
        "all",
        len(nouns),
        config.prior,
        config.scaler,
        "p" if config.guide == "n" else config.guide,
        config.temperature,
        config.length_alpha,
    )
    rows = decoder(guide).decode(VECTORS, whole)
    return [{noun.noun: noun.score for noun in row} for row in rows]


@pytest.mark.parametrize("name", [name for name in RECORDED if "_gn_" not in name])
def test_the_default_differs_only_where_upstream_leaves_out_an_end(name: str):
    config = parse_gencfg(name)
    scores = exhaustive(config, None)
    found = decoder().decode(VECTORS, config)
    for ours, theirs, score in zip(found, RECORDED[name], scores, strict=True):
        recorded = {noun: value for noun, value, _ in theirs}
        assert all(abs(noun.score - score[noun.noun]) < CLOSE for noun in ours)
        if not LONGEST & recorded.keys():
            assert [noun.noun for noun in ours] == list(recorded)
            assert all(abs(noun.score - recorded[noun.noun]) < CLOSE for noun in ours)


@pytest.mark.parametrize("row", EXTRA, ids=lambda row: f"{row['guide']}-{row['gencfg']}")
def test_the_default_has_no_empty_and_no_repeated_answers(row: dict[str, Any]):
    config = parse_gencfg(row["gencfg"])
    found = decoder(guides(row)).decode(VECTORS[:6], config)
    for answers in found:
        assert answers
        assert all(math.isfinite(noun.score) for noun in answers)
        assert len({noun.noun for noun in answers}) == len(answers)
        assert all(noun.kind == Kind.GUIDE for noun in answers)


def test_unencodable_guide_nouns_are_reported():
    row = next(row for row in EXTRA if row["guide"] == "untrained_and_unencodable")
    guide = guide_list(guides(row))
    assert guide is not None
    assert [text for text, _ in guide.unknown] == ["ice dog", "qqzzyx"]
    assert set(guide.untrained) == {"fire cat", "sea terrier"}
