import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from novic.bundle import (
    Bundle,
    BundleError,
    file_hashes,
    load_bundle,
    read_card,
    save_bundle,
    save_new_bundle,
)
from novic.errors import UsageError
from tests.novic.builders import random_decoder, random_nouns, random_vectors

TOKENS = random_nouns(50, vocabulary=20, longest=4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bundle = Bundle(
        random_decoder(TOKENS),
        TOKENS,
        "starter",
        hypernyms={TOKENS.nouns[0]: ("animal", "thing")},
        provenance={"command": "test"},
        metrics={"top1": 0.5},
    )
    save_bundle(tmp_path / "bundle", bundle, half=False)
    return tmp_path / "bundle"


def test_a_bundle_comes_back_as_it_was(folder: Path):
    back = load_bundle(folder)
    vectors, tokens = random_vectors(3, 16), torch.from_numpy(TOKENS.tokens[:3])
    assert torch.equal(back.decoder(vectors, tokens), random_decoder(TOKENS)(vectors, tokens))
    assert back.tokens.nouns == TOKENS.nouns
    assert (back.tokens.tokens == TOKENS.tokens).all()
    assert back.hypernyms == {TOKENS.nouns[0]: ("animal", "thing")}
    assert back.metrics == {"top1": 0.5}
    assert not back.decoder.training


def test_half_precision_keeps_logits_close(folder: Path):
    whole = load_bundle(folder)
    save_bundle(folder, whole, half=True)
    half = load_bundle(folder)
    vectors, tokens = random_vectors(3, 16), torch.from_numpy(TOKENS.tokens[:3])
    torch.testing.assert_close(
        half.decoder(vectors, tokens), whole.decoder(vectors, tokens), atol=0.02, rtol=0.02
    )


def damage_weights(folder: Path) -> None:
    file = folder / "decoder.safetensors"
    file.write_bytes(file.read_bytes()[:-10])


def change_format(folder: Path) -> None:
    (folder / "bundle.json").write_text('{"format": "else"}')


def change_heads(folder: Path) -> None:
    card = json.loads((folder / "bundle.json").read_text())
    card["decoder"]["heads"] = 8
    (folder / "bundle.json").write_text(json.dumps(card))


def change_version(folder: Path) -> None:
    card = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(card | {"version": 99}))


def drop_nouns(folder: Path) -> None:
    (folder / "nouns.json").write_text('[["a", []]]')


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (damage_weights, "damaged or from another bundle"),
        (change_format, "not a Nomaly decoder bundle"),
        (change_version, "bundle version 99, this Nomaly reads version 1"),
        (drop_nouns, r"nouns.json: its SHA-256 is not the one in bundle.json"),
        (change_heads, r"bundle.json: what it says does not match its own SHA-256"),
        (lambda folder: (folder / "bundle.json").unlink(), "bundle.json is missing"),
        (lambda folder: (folder / "bundle.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "decoder.safetensors").unlink(), "not a readable decoder bundle"),
    ],
)
def test_a_faulty_bundle_is_refused_with_the_reason(folder: Path, fault, message: str):  # noqa: ANN001
    fault(folder)
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


def test_every_file_is_under_a_checksum(folder: Path):
    card = read_card(folder)
    hashes = file_hashes(folder)
    assert hashes["decoder.safetensors"] == card["weights_sha256"]
    assert hashes["nouns.json"] == card["nouns_sha256"]
    assert len(hashes["bundle.json"]) == 64


def forget_sums(folder: Path) -> None:
    """Make the bundle what the first Nomaly wrote: one checksum, of the weights."""
    card = json.loads((folder / "bundle.json").read_text())
    del card["nouns_sha256"], card["card_sha256"]
    (folder / "bundle.json").write_text(json.dumps(card))


def test_a_bundle_of_the_first_nomaly_loads(folder: Path):
    forget_sums(folder)
    assert load_bundle(folder).tokens.nouns == TOKENS.nouns
    drop_nouns(folder)
    with pytest.raises(BundleError, match=r"nouns.json holds 1 nouns and decoder.safetensors 50"):
        load_bundle(folder)


def with_frequencies(folder: Path) -> dict[str, int]:
    """Save the bundle as that of a site; gives the frequencies."""
    frequencies = {noun: 1 + place % 4 for place, noun in enumerate(TOKENS.nouns)}
    save_bundle(folder, replace(load_bundle(folder), frequencies=frequencies), half=False)
    return frequencies


def test_frequencies_come_back_and_tell_how_unexpected_a_noun_is(folder: Path):
    assert load_bundle(folder).frequencies is None
    assert load_bundle(folder).surprise_bits(TOKENS.nouns[0]) is None
    frequencies = with_frequencies(folder)
    back = load_bundle(folder)
    assert back.frequencies == frequencies
    assert back.hypernyms == {TOKENS.nouns[0]: ("animal", "thing")}
    total, four = sum(frequencies.values()), TOKENS.nouns[3]
    assert back.surprise_bits(four) == pytest.approx(-math.log2(4 / total))
    assert back.surprise_bits(TOKENS.nouns[1]) == pytest.approx(-math.log2(2 / total))
    assert back.surprise_bits("not a noun of it") is None


def test_frequencies_must_be_those_of_the_nouns():
    nouns = TOKENS.nouns
    whole = dict.fromkeys(nouns, 1)
    for wrong, message in [
        ({**whole, "zebra": 1}, "'zebra' is among one of them only"),
        (dict.fromkeys(nouns[1:], 1), "differ"),
        ({**whole, nouns[0]: 0}, "is 0, not a whole number from 1"),
        ({**whole, nouns[0]: 1.5}, r"is 1\.5, not a whole number"),
    ]:
        with pytest.raises(ValueError, match=message):
            Bundle(random_decoder(TOKENS), TOKENS, "starter", frequencies=wrong)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([TOKENS.nouns[0], []], "rows must all have 2 or all have 3 columns"),
        ([TOKENS.nouns[0], [], "often"], "is 'often', not a whole number from 1"),
    ],
)
def test_a_table_with_broken_frequencies_is_refused(folder: Path, row: list, message: str):
    with_frequencies(folder)
    forget_sums(folder)
    table = json.loads((folder / "nouns.json").read_text())
    (folder / "nouns.json").write_text(json.dumps([row, *table[1:]]))
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


def test_all_files_of_a_bundle_are_for_the_same_readers(folder: Path):
    assert len({entry.stat().st_mode for entry in folder.iterdir()}) == 1


def test_a_new_bundle_replaces_another_only_when_asked(folder: Path):
    other = Bundle(random_decoder(TOKENS, seed=1), TOKENS, "starter", metrics={"top1": 0.9})
    with pytest.raises(UsageError, match="exists already; name a new folder or say --overwrite"):
        save_new_bundle(folder, other, half=False, overwrite=False)
    assert load_bundle(folder).metrics == {"top1": 0.5}
    save_new_bundle(folder, other, half=False, overwrite=True)
    assert load_bundle(folder).metrics == {"top1": 0.9}
    assert [entry.name for entry in folder.parent.iterdir()] == ["bundle"]


def test_a_folder_with_other_things_is_left_alone(folder: Path):
    (folder / "holiday.jpg").touch()
    with pytest.raises(UsageError, match="not a bundle alone"):
        save_new_bundle(folder, load_bundle(folder), half=False, overwrite=True)
    assert (folder / "holiday.jpg").exists()


def test_a_bundle_that_cannot_be_written_costs_nothing(folder: Path):
    folder.with_name(".bundle.part").write_text("in the way")
    with pytest.raises(BundleError, match="cannot be written"):
        save_new_bundle(folder, load_bundle(folder), half=True, overwrite=True)
    assert load_bundle(folder).metrics == {"top1": 0.5}
