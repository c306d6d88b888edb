"""Folders of a TagOOD, and the authors' checkpoints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from novic.tagood.errors import TagoodError
from novic.tagood.files import FILES, SavedTagood, TokensFrom, load_tagood, save_tagood
from novic.tagood.model import features_of
from novic.tagood.projector import Projector, ProjectorSizes
from novic.tagood.released import read_released, write_released
from novic.tagood.tokens import EMPTY
from novic.trained_folders import identity_sha256
from tests.novic.tagood.samples import SIZES, pictures, small_projector
from tests.training.hashed import HashedEmbedder

RELEASED = ProjectorSizes(classes=5, width=32, places=145, hidden=64)


def saved() -> SavedTagood:
    embedder = HashedEmbedder(width=8)
    how = TokensFrom("starter", "text", EMPTY, embedder.spec, identity_sha256(embedder))
    centres = np.random.default_rng(0).standard_normal((3, 4, 4)).astype(np.float32)
    texts = embedder.embed_texts(["a", "b", "c"])
    return SavedTagood(
        small_projector(), centres, ("a", "b", "c"), how, texts, {"seed": 0}, {"loss": 1.5}
    )


def test_a_folder_comes_back(tmp_path: Path):
    one = saved()
    save_tagood(tmp_path / "out", one)
    back = load_tagood(tmp_path / "out")
    assert back.projector.sizes == SIZES
    assert not back.projector.training
    assert (back.classes, back.tokens) == (one.classes, one.tokens)
    assert (back.provenance, back.metrics) == ({"seed": 0}, {"loss": 1.5})
    np.testing.assert_array_equal(back.centres, one.centres)
    assert back.texts is not None
    assert one.texts is not None
    np.testing.assert_array_equal(back.texts, one.texts)
    some, _ = pictures(4)
    np.testing.assert_array_equal(
        features_of(back.projector, some), features_of(one.projector, some)
    )


def test_it_belongs_to_an_embedder():
    how = saved().tokens
    how.check(HashedEmbedder(width=8))
    with pytest.raises(TagoodError, match="trained with 'hashed', not with this 'hashed'"):
        how.check(HashedEmbedder(width=9))
    with pytest.raises(TagoodError, match="trained on extracted tokens"):
        TokensFrom(FILES).check(HashedEmbedder())


BROKEN: dict[str, tuple[Callable[[str], str], str]] = {
    "mask": (lambda text: text.replace('"text"', '"sky"'), "not a readable TagOOD"),
    "classes": (lambda text: text.replace('"c"\n', '"c", "d"\n'), "4 classes and 3 centres"),
    "heads": (lambda text: text.replace('"heads": 4', '"heads": 5'), "into 5 heads"),
    "format": (lambda text: text.replace("nomaly-tagood", "other"), "is not a TagOOD's"),
    "weights": (lambda text: text.replace('_sha256": "', '_sha256": "0'), "SHA-256 is not the one"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_damaged_folder_is_told(fault: str, tmp_path: Path):
    change, said = BROKEN[fault]
    save_tagood(tmp_path, saved())
    card = tmp_path / "tagood.json"
    card.write_text(change(card.read_text()))
    with pytest.raises(TagoodError, match=said):
        load_tagood(tmp_path)
    card.unlink()
    with pytest.raises(TagoodError, match=r"there is no TagOOD here \(tagood.json is missing\)"):
        load_tagood(tmp_path)


def checkpoint() -> dict[str, Any]:
    """As the authors' program writes it, of 5 classes and 32 components."""
    torch.manual_seed(1)
    projector = Projector(RELEASED)
    optimiser = torch.optim.AdamW(projector.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 10)
    return {
        "projector": projector.state_dict(),
        "ema": {"centers": torch.randn(5, 4, 8)},
        "optimizer": optimiser.state_dict(),
        "scheduler": schedule.state_dict(),
    }


@pytest.mark.parametrize("form", ["table", "tensor", "wrapped"])
def test_a_checkpoint_of_the_released_layout_is_read(form: str, tmp_path: Path):
    content = checkpoint()
    centres = content["ema"]["centers"]
    if form == "tensor":
        content["ema"] = centres
    if form == "wrapped":
        content["projector"] = {f"module.{n}": w for n, w in content["projector"].items()}
        del content["projector"]["module.w_layer.bias"]
    torch.save(content, tmp_path / "checkpoint_99.pth")
    found = read_released(tmp_path / "checkpoint_99.pth")
    assert found.projector.sizes == RELEASED
    assert found.classes == ("0", "1", "2", "3", "4")
    np.testing.assert_array_equal(found.centres, centres)
    weight = content["projector"]["cls_token" if form != "wrapped" else "module.cls_token"]
    assert torch.equal(found.projector.state_dict()["cls_token"], weight)


def test_one_that_we_write_has_the_same_parts_and_comes_back(tmp_path: Path):
    torch.save(checkpoint(), tmp_path / "a.pth")
    first = read_released(tmp_path / "a.pth", ("a", "b", "c", "d", "e"))
    write_released(tmp_path / "b.pth", first)
    assert set(torch.load(tmp_path / "b.pth", weights_only=True)) == set(checkpoint())
    second = read_released(tmp_path / "b.pth")
    np.testing.assert_array_equal(first.centres, second.centres)
    for name, weight in first.projector.state_dict().items():
        assert torch.equal(weight, second.projector.state_dict()[name])


def without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["projector"].pop(key)


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "init": (lambda c: c.pop("ema"), r"has no centres \('ema'\), as checkpoint_init.pth"),
    "no projector": (lambda c: c.pop("projector"), "no weights under 'projector'"),
    "classifier": (
        without("classifier.weight"),
        "lacks 1 of 34 weights of a projector, the first classifier.weight",
    ),
    "positions": (without("layers.pos_embedding"), "layers.pos_embedding among them"),
    "block": (
        without("layers.layers.encoder_layer_1.mlp.3.bias"),
        "the first layers.layers.encoder_layer_1.mlp.3.bias",
    ),
    "other": (lambda c: c["projector"].update(more=torch.zeros(2)), "more is no weight of a"),
    "shape": (
        lambda c: c["projector"].update({"image_proj.bias": torch.zeros(31)}),
        r"image_proj.bias has the shape \(31,\) and should have \(32,\)",
    ),
    "centres": (lambda c: c.update(ema={}), "must hold one finite tensor of centres"),
    "a program": (lambda c: c.update(ema=Path), "is damaged or no file of weights alone"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_part_of_a_checkpoint_is_refused_by_name(fault: str, tmp_path: Path):
    change, said = REFUSED[fault]
    content = checkpoint()
    change(content)
    torch.save(content, tmp_path / "checkpoint_1.pth")
    with pytest.raises(TagoodError, match=said):
        read_released(tmp_path / "checkpoint_1.pth")


def test_names_of_classes_must_be_as_many(tmp_path: Path):
    torch.save(checkpoint(), tmp_path / "a.pth")
    with pytest.raises(TagoodError, match="has 5 classes, 2 names were given"):
        read_released(tmp_path / "a.pth", ("a", "b"))
    with pytest.raises(TagoodError, match="cannot be written"):
        write_released(tmp_path / "none" / "a.pth", saved())
