"""Tags by what a decoder says, tokens of backbones, and extracted tokens."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch

from detectors.features.backbones import BackboneError
from novic.errors import UsageError
from novic.tagood.errors import TagoodError
from novic.tagood.token_files import write_tokens
from novic.tagood.tokens import EMPTY, ONE_RULE, TaggedTokens
from scenarios.wordnet import WordNet
from tests.novic.tagood.samples import pictures
from training.loop_config import RunOptions
from training.tagood.config import CentreKind, TagoodConfig
from training.tagood.making import make_tagood, read_extracted, write_extracted
from training.tagood.sources import BackbonePatches, kept_tokens, patch_source
from training.tagood.tags import LEAST, NounTags

OPTIONS = {"embed_dim": 32, "depth": 3, "num_heads": 4}
CPU = torch.device("cpu")
PICTURES = [np.random.default_rng(n).integers(0, 256, (30, 40, 3), np.uint8) for n in range(3)]


@pytest.fixture(scope="module")
def tags(wordnet: WordNet) -> NounTags:
    return NounTags(("bird", "automobile, car", "birds", "zzz thing"), wordnet)


def test_a_noun_speaks_for_what_it_is_a_kind_of(tags: NounTags):
    said = {
        "robin": [True, False, True, False],
        "bird": [True, False, True, False],
        "car": [False, True, False, False],
        "taxi": [False, True, False, False],
        "animal": [False, False, False, False],
        "zzz-thing": [False, False, False, True],
        "no such noun": [False] * 4,
    }
    for noun, expected in said.items():
        assert tags.speaks_for(noun).tolist() == expected, noun


def test_the_probability_of_a_tag_is_the_sum_over_its_nouns_and_never_0(tags: NounTags):
    said = [["robin", "taxi", "eagle"], ["cup"]]
    log_p = [np.log([0.3, 0.25, 0.2]).tolist(), [np.log(0.9)]]
    found = tags.probabilities(said, log_p)
    np.testing.assert_allclose(found, [[0.5, 0.25, 0.5, LEAST], [LEAST] * 4], atol=1e-6)
    assert tags.probabilities([["robin", "eagle"]], [[-0.1, -0.1]]).max() == 1


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> BackbonePatches:
    folder = tmp_path_factory.mktemp("net")
    torch.manual_seed(0)
    network = timm.create_model("vit_tiny_patch16_224", embed_dim=32, depth=3, num_heads=4)
    timm.models.save_for_hf(network, str(folder), model_args=OPTIONS, safe_serialization=True)
    return BackbonePatches(f"local-dir:{folder}", CPU)


def test_cells_of_a_transformer_are_tokens(backbone: BackbonePatches):
    found = backbone.see(PICTURES)
    assert found.tokens.shape == (3, 196, 32)
    assert (backbone.width, backbone.grid, found.joint) == (32, (14, 14), None)
    np.testing.assert_allclose(backbone.see(PICTURES[1:2]).tokens[0], found.tokens[1], atol=1e-4)


def test_the_middle_or_all_cells_are_kept(backbone: BackbonePatches):
    chances = np.array([[0.9, 0.1], [0.2, 0.3], [0, 0.8]], np.float32)
    every = kept_tokens(PICTURES, backbone, "all", None, chances, ONE_RULE)
    assert [one.tags for one in every] == [(0,), (1,), (1,)]
    assert {len(one.tokens) for one in every} == {196}
    middle = kept_tokens(PICTURES, backbone, "centre", None, chances, EMPTY)
    assert [one.tags for one in middle] == [(0,), (), (1,)]
    assert [len(one.tokens) for one in middle][1] == 0
    assert 20 < len(middle[0].tokens) < 120
    with pytest.raises(TagoodError, match="use --mask centre or --mask all"):
        kept_tokens(PICTURES, backbone, "text", np.eye(2, dtype=np.float32), chances, ONE_RULE)


def test_a_map_that_is_too_fine_is_refused():
    with pytest.raises(UsageError, match="its map has 784 cells, at most 512 are read"):
        patch_source("lite0", CPU)


def test_dinov2_is_used_where_it_lies():
    try:
        source = patch_source("dinov2-s", CPU)
    except BackboneError:
        pytest.skip("the weights of DINOv2-S are not here: run make weights")
    assert source.see(PICTURES[:1]).tokens.shape == (1, 256, 384)


def extracted(folder: Path, count: int = 12) -> Path:
    for number, (one, label) in enumerate(zip(*pictures(count), strict=True)):
        write_tokens(folder / f"class {label}" / f"{number}.pt", one)
    return folder


def test_extracted_tokens_are_trained_on_and_come_back(tmp_path: Path):
    folder = extracted(tmp_path / "tokens")
    material = read_extracted(folder, options=RunOptions())
    assert material.classes == ("class 0", "class 1", "class 2")
    assert (material.width, material.places, len(material.pictures)) == (16, 145, 12)
    write_extracted(tmp_path / "again", material)
    again = read_extracted(tmp_path / "again", options=RunOptions())
    for one, two in zip(material.pictures, again.pictures, strict=True):
        np.testing.assert_array_equal(one.tokens, two.tokens)
        assert one.tags == two.tags
    config = TagoodConfig(epochs=1, batch_size=6)
    told = make_tagood(material, config, tmp_path / "out", options=RunOptions())
    assert (told["classes"], told["images"], told["tagged"]) == (3, 12, 12)


@pytest.mark.parametrize("centres", ["corrected", "means"])
def test_a_picture_without_tags_or_width_is_trained_on(centres: CentreKind, tmp_path: Path):
    folder = extracted(tmp_path / "tokens")
    torch.save([[], [], torch.rand(6), torch.empty(0)], folder / "class 0" / "untagged.pt")
    material = read_extracted(folder, options=RunOptions())
    assert material.pictures[4].tokens.shape == (0, 0)
    config = TagoodConfig(epochs=1, batch_size=13, centres=centres)
    told = make_tagood(material, config, tmp_path / "out", options=RunOptions())
    assert (told["images"], told["tagged"]) == (13, 12)


def test_extracted_tokens_that_do_not_go_together_are_told(tmp_path: Path):
    folder = extracted(tmp_path)
    wide = TaggedTokens((0,), (0.9,), np.ones(6, np.float32), np.ones((2, 8), np.float32))
    write_tokens(folder / "class 0" / "wide.pt", wide)
    with pytest.raises(UsageError, match="its tokens have 8 and 16 components"):
        read_extracted(folder, options=RunOptions())


def test_one_class_is_too_few(tmp_path: Path):
    write_tokens(tmp_path / "cup" / "1.pt", pictures(1)[0][0])
    with pytest.raises(UsageError, match="of two classes at least, these are of 1"):
        read_extracted(tmp_path, options=RunOptions())
