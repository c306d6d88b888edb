import json
from pathlib import Path

import pytest
import torch

from novic.bundle import Bundle, BundleError, load_bundle, save_bundle
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
        (drop_nouns, r"nouns.json holds 1 nouns and decoder.safetensors 50"),
        (lambda folder: (folder / "bundle.json").unlink(), "bundle.json is missing"),
        (lambda folder: (folder / "bundle.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "decoder.safetensors").unlink(), "not a readable decoder bundle"),
    ],
)
def test_a_faulty_bundle_is_refused_with_the_reason(folder: Path, fault, message: str):  # noqa: ANN001
    fault(folder)
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)
