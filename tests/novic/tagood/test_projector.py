"""TagOOD's network against the same written out in numpy, and its known sizes."""

import numpy as np
import pytest
import torch
from scipy.special import erf

from novic.errors import UsageError
from novic.tagood.model import features_of
from novic.tagood.projector import PAD, Projector, ProjectorSizes, attention_mask
from novic.tagood.tokens import TaggedTokens, padded
from tests.novic.tagood.samples import SIZES, pictures, small_projector

SHAPES = {
    "cls_token": (1, 1, 512),
    "image_proj.weight": (512, 512),
    "image_proj.bias": (512,),
    "layers.pos_embedding": (1, 146, 512),
    "layers.ln.weight": (512,),
    "layers.ln.bias": (512,),
    "classifier.weight": (1000, 512),
    "classifier.bias": (1000,),
    "w_layer.weight": (4, 512),
    "w_layer.bias": (4,),
}
IN_BLOCK = {
    "ln_1.weight": (512,),
    "ln_1.bias": (512,),
    "ln_2.weight": (512,),
    "ln_2.bias": (512,),
    "self_attention.in_proj_weight": (1536, 512),
    "self_attention.in_proj_bias": (1536,),
    "self_attention.out_proj.weight": (512, 512),
    "self_attention.out_proj.bias": (512,),
    "mlp.0.weight": (2048, 512),
    "mlp.0.bias": (2048,),
    "mlp.3.weight": (512, 2048),
    "mlp.3.bias": (512,),
}


def norm(rows: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(centred.var(axis=-1, keepdims=True) + 1e-6) * weight + bias


def by_hand(weights: dict[str, np.ndarray], tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vector and logits of one picture, without any padding."""
    w = weights
    projected = tokens @ w["image_proj.weight"].T + w["image_proj.bias"]
    rows = np.concatenate([w["cls_token"][0], projected])
    rows = rows + w["layers.pos_embedding"][0, : len(rows)]
    for number in range(SIZES.layers):
        at = f"layers.layers.encoder_layer_{number}."
        inner = norm(rows, w[f"{at}ln_1.weight"], w[f"{at}ln_1.bias"])
        packed = inner @ w[f"{at}self_attention.in_proj_weight"].T
        q, k, v = np.split(packed + w[f"{at}self_attention.in_proj_bias"], 3, axis=1)
        part = SIZES.width // SIZES.heads
        mixed = []
        for head in range(SIZES.heads):
            here = slice(head * part, (head + 1) * part)
            logits = q[:, here] @ k[:, here].T / np.sqrt(part)
            shares = np.exp(logits - logits.max(axis=1, keepdims=True))
            mixed.append(shares / shares.sum(axis=1, keepdims=True) @ v[:, here])
        out = np.concatenate(mixed, axis=1) @ w[f"{at}self_attention.out_proj.weight"].T
        rows = rows + out + w[f"{at}self_attention.out_proj.bias"]
        inner = norm(rows, w[f"{at}ln_2.weight"], w[f"{at}ln_2.bias"])
        hidden = inner @ w[f"{at}mlp.0.weight"].T + w[f"{at}mlp.0.bias"]
        hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
        rows = rows + hidden @ w[f"{at}mlp.3.weight"].T + w[f"{at}mlp.3.bias"]
    z = norm(rows[0], w["layers.ln.weight"], w["layers.ln.bias"])
    return z, z @ w["classifier.weight"].T + w["classifier.bias"]


def test_it_computes_what_numpy_computes_without_any_padding():
    projector = small_projector()
    weights = {name: one.numpy().astype(np.float64) for name, one in projector.state_dict().items()}
    some, _ = pictures(9)
    assert len({len(one.tokens) for one in some}) > 2
    tokens, padding = padded([one.tokens for one in some], 16)
    with torch.inference_mode():
        found = projector(tokens, padding)
    for row, one in enumerate(some):
        z, logits = by_hand(weights, one.tokens.astype(np.float64))
        np.testing.assert_allclose(found.features[row], z, atol=1e-5)
        np.testing.assert_allclose(found.logits[row], logits, atol=1e-5)


def test_what_stands_in_the_padding_changes_nothing():
    projector = small_projector()
    some, _ = pictures(4)
    tokens, padding = padded([one.tokens for one in some], 16)
    other = tokens + 7 * padding[..., None]
    torch.testing.assert_close(
        projector(tokens, padding).features, projector(other, padding).features
    )


def test_the_mask_touches_every_pair_with_padding_for_each_head():
    padding = torch.tensor([[False, True], [False, False]])
    mask = attention_mask(padding, 3, torch.float32)
    assert mask is not None
    expected = np.zeros((2, 3, 3))
    expected[0, 2, :] = expected[0, :, 2] = PAD
    np.testing.assert_array_equal(mask, np.repeat(expected, 3, axis=0))
    assert attention_mask(padding[1:], 3, torch.float32) is None


def test_the_position_of_a_kept_token_is_its_rank():
    projector = small_projector()
    some, _ = pictures(1, seed=3)
    two = some[0].tokens[:2] if len(some[0].tokens) > 1 else np.repeat(some[0].tokens, 2, axis=0)
    two = two + np.arange(2, dtype=np.float32)[:, None]

    def picture(mask: list[float]) -> TaggedTokens:
        return TaggedTokens((0,), (0.9,), np.array(mask, np.float32), two)

    near, far = picture([1, 1, 0, 0, 0, 0]), picture([0, 0, 0, 0, 1, 1])
    turned = TaggedTokens((0,), (0.9,), near.attention, two[::-1])
    z = features_of(projector, [near, far, turned])
    np.testing.assert_array_equal(z[0], z[1])
    assert np.abs(z[0] - z[2]).max() > 1e-3


def test_a_picture_without_tokens_is_the_class_token_alone():
    projector = small_projector()
    some, _ = pictures(3)
    nothing = TaggedTokens((), (), np.zeros(6, np.float32), np.zeros((0, 16), np.float32))
    weights = {name: one.numpy().astype(np.float64) for name, one in projector.state_dict().items()}
    expected, _ = by_hand(weights, np.zeros((0, 16)))
    found = features_of(projector, [some[0], nothing])
    np.testing.assert_allclose(found[1], expected, atol=1e-5)
    np.testing.assert_allclose(features_of(projector, [nothing])[0], expected, atol=1e-5)
    flat = TaggedTokens((), (), np.zeros(6, np.float32), np.zeros((0, 0), np.float32))
    np.testing.assert_allclose(features_of(projector, [flat, some[0]])[0], expected, atol=1e-5)


def test_the_released_size_has_the_known_weights():
    with torch.device("meta"):
        found = {
            name: tuple(one.shape) for name, one in Projector(ProjectorSizes()).state_dict().items()
        }
    blocks = {
        f"layers.layers.encoder_layer_{number}.{name}": shape
        for number in (0, 1)
        for name, shape in IN_BLOCK.items()
    }
    assert found == {**SHAPES, **blocks}
    assert sum(int(np.prod(shape)) for shape in found.values()) == 7_158_764


def test_it_begins_as_it_should():
    torch.manual_seed(0)
    projector = Projector(ProjectorSizes(classes=4))
    weights = projector.state_dict()
    assert not weights["cls_token"].any()
    assert float(weights["layers.pos_embedding"].std()) == pytest.approx(0.02, rel=0.02)
    inner = weights["layers.layers.encoder_layer_1.mlp.0.weight"]
    assert float(inner.abs().max()) == pytest.approx(np.sqrt(6 / (512 + 2048)), rel=0.01)
    assert float(weights["layers.layers.encoder_layer_0.mlp.3.bias"].abs().max()) < 1e-5
    assert projector.layers.ln.eps == 1e-6


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"classes": 0}, "must be at least 1"),
        ({"heads": 5}, "cannot be parted into 5 heads"),
        ({"patterns": 3}, "and 3 patterns"),
    ],
)
def test_sizes_that_mean_nothing_are_refused(changed: dict[str, int], said: str):
    with pytest.raises(UsageError, match=said):
        ProjectorSizes(**changed)


def test_other_tokens_than_it_reads_are_refused():
    projector = small_projector()
    for shape in ((1, 7, 16), (1, 2, 17)):
        with pytest.raises(UsageError, match="reads at most 6 tokens of 16 components, got"):
            projector(torch.zeros(shape), torch.zeros(shape[:2], dtype=torch.bool))
