"""The "no" tower of models of open_clip, and the released checkpoints' layout."""

from pathlib import Path

import open_clip
import pytest
import torch
from torch import Generator, Tensor

from novic.clipn.errors import ClipnError
from novic.clipn.released import (
    is_no_weight,
    load_released,
    read_released,
    released_weights,
    write_released,
)
from novic.clipn.tower import NoTextTower
from novic.embedder import EmbedderError
from novic.embedders.openclip import new_clip
from tests.novic.clips import clip_config, random_weights, siglip_config, text_by_hand

START, END = 49406, 49407
IDS = torch.tensor([[START, 320, 1125, END, *[0] * 73], [START, 5, 6, 7, 8, END, *[0] * 71]])


def small_clip(seed: int = 0) -> open_clip.CLIP:
    """A model of the released models' kind."""
    config = clip_config(28, "shortest", quick=False)["model_cfg"]
    model = open_clip.CLIP(**config)
    model.load_state_dict(random_weights(config, seed), strict=False)
    return model.eval()


@pytest.fixture(scope="module")
def clip() -> open_clip.CLIP:
    return small_clip()


@pytest.fixture(scope="module")
def trained(clip: open_clip.CLIP) -> NoTextTower:
    """A tower whose weights all differ from the text tower's."""
    tower = NoTextTower(clip).eval()
    draw = Generator().manual_seed(1)
    with torch.no_grad():
        for weight in tower.parameters():
            weight += 0.05 * torch.randn(weight.shape, generator=draw)
    return tower


def test_it_begins_as_the_text_tower_itself(clip: open_clip.CLIP):
    tower = NoTextTower(clip)
    torch.testing.assert_close(tower(IDS), clip.encode_text(IDS, normalize=True))
    assert not NoTextTower(clip, learnable=False).learnable
    with torch.no_grad():
        tower.token_embedding_no.weight[320] += 1
    assert not torch.equal(
        tower.token_embedding_no.weight, clip.state_dict()["token_embedding.weight"]
    )


def test_in_eval_mode_the_mean_of_the_16_prompts_is_added(trained: NoTextTower):
    weights = {name.replace("_no", "", 1): w for name, w in trained.state_dict().items()}
    mean = weights.pop("prompt").mean(dim=0)
    assert trained.prompt_no is not None
    assert trained.prompt_no.shape == (16, 77, 64)
    weights["positional_embedding"] = weights["positional_embedding"] + mean
    found = trained(IDS)
    for row, ids in zip(found, IDS, strict=True):
        expected = text_by_hand(weights, ids.tolist(), 2, siglip=False)
        torch.testing.assert_close(row, expected, atol=1e-5, rtol=1e-4)


def test_in_training_mode_each_text_gets_a_prompt_or_the_mean(trained: NoTextTower):
    assert trained.prompt_no is not None
    many = IDS[:1].expand(200, -1)
    trained.train()
    drawn = trained(many, Generator().manual_seed(0))
    again = trained(many, Generator().manual_seed(0))
    trained.eval()
    assert torch.equal(drawn, again)
    kinds = {tuple(row) for row in (drawn * 1e4).round().tolist()}
    assert len(kinds) == 17
    assert tuple((trained(many[:1])[0] * 1e4).round().tolist()) in kinds


def test_prompts_behind_the_end_of_the_text_change_nothing(trained: NoTextTower):
    assert trained.prompt_no is not None
    before = trained(IDS[:1])
    before.sum().backward()
    gradient = trained.prompt_no.grad
    assert gradient is not None
    assert (gradient[:, :4] != 0).any()
    assert (gradient[:, 4:] == 0).all()
    kept = trained.prompt_no.detach().clone()
    with torch.no_grad():
        trained.prompt_no[:, 4:] += 7
        after = trained(IDS[:1])
        trained.prompt_no[:] = kept
    torch.testing.assert_close(after, before.detach(), atol=1e-6, rtol=0)


def test_a_tower_that_sees_both_ways_is_copied_too():
    config = siglip_config(16)["model_cfg"]
    config.pop("custom_text")
    model = open_clip.CustomTextCLIP(**config).eval()
    tower = NoTextTower(model).eval()
    ids = torch.tensor([[5, 6, 7, *[1] * 13]])
    torch.testing.assert_close(tower(ids), model.encode_text(ids, normalize=True))
    assert isinstance(tower.text_projection_no, torch.nn.Linear)


def test_other_text_towers_are_refused():
    class Other(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.text = torch.nn.Linear(2, 2)

    with pytest.raises(ClipnError, match="class Linear is built otherwise than CLIP's"):
        NoTextTower(Other())


def test_the_layout_of_vit_b_16_is_the_released_one():
    config = open_clip.get_model_config("ViT-B-16")
    assert config is not None
    with torch.device("meta"):
        model = open_clip.CLIP(**config)
    tower = NoTextTower(model)
    shapes = {name: tuple(one.shape) for name, one in released_weights(model, tower).items()}
    assert len(shapes) == 452
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == 213_679_617
    own = {name: shape for name, shape in shapes.items() if is_no_weight(name)}
    assert len(own) == 150
    assert sum(torch.Size(shape).numel() for shape in own.values()) == 64_058_880
    wanted = {
        "positional_embedding": (77, 512),
        "text_projection": (512, 512),
        "token_embedding.weight": (49408, 512),
        "ln_final.weight": (512,),
        "ln_final.bias": (512,),
    }
    for layer in range(12):
        block = f"transformer.resblocks.{layer}"
        for name in ("ln_1", "ln_2"):
            wanted |= {f"{block}.{name}.weight": (512,), f"{block}.{name}.bias": (512,)}
        wanted |= {f"{block}.attn.in_proj_weight": (1536, 512)}
        wanted |= {f"{block}.attn.in_proj_bias": (1536,)}
        wanted |= {f"{block}.attn.out_proj.weight": (512, 512)}
        wanted |= {f"{block}.attn.out_proj.bias": (512,)}
        wanted |= {f"{block}.mlp.c_fc.weight": (2048, 512), f"{block}.mlp.c_fc.bias": (2048,)}
        wanted |= {f"{block}.mlp.c_proj.weight": (512, 2048), f"{block}.mlp.c_proj.bias": (512,)}
    named = {
        ".".join([f"{name.split('.')[0]}_no", *name.split(".")[1:]]): shape
        for name, shape in wanted.items()
    }
    assert own == named | {"prompt_no": (16, 77, 512)}
    assert {name: shapes[name] for name in wanted} == wanted
    seen = {name: shape for name, shape in shapes.items() if name.startswith("visual.")}
    assert len(seen) == 152
    assert seen["visual.positional_embedding"] == (197, 768)
    assert seen["visual.conv1.weight"] == (768, 3, 16, 16)
    assert seen["visual.proj"] == (768, 512)
    assert shapes["logit_scale"] == ()


FORMS = {
    "bare": lambda weights: weights,
    "wrapped": lambda weights: {"epoch": 3, "state_dict": weights, "optimizer": {"lr": 1e-4}},
    "of several GPUs": lambda weights: {
        "state_dict": {f"module.{name}": one for name, one in weights.items()},
        "scaler": {},
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_released_checkpoint_is_read(
    form: str, clip: open_clip.CLIP, trained: NoTextTower, tmp_path: Path
):
    file = tmp_path / "epoch_10.pt"
    torch.save(FORMS[form](released_weights(clip, trained)), file)
    other = small_clip(seed=9)
    tower = load_released(file, other)
    assert not tower.training
    torch.testing.assert_close(tower(IDS), trained(IDS))
    torch.testing.assert_close(other.encode_text(IDS), clip.encode_text(IDS))


def test_what_is_written_is_read_again(clip: open_clip.CLIP, trained: NoTextTower, tmp_path: Path):
    file = tmp_path / "epoch_2.pt"
    write_released(file, clip, trained, epoch=2)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["epoch_2.pt"]
    told = torch.load(file, weights_only=True)
    assert told["epoch"] == 2
    assert set(told["state_dict"]) == set(released_weights(clip, trained))
    torch.testing.assert_close(load_released(file, small_clip(4))(IDS), trained(IDS))


def test_a_file_fills_a_model_of_its_architecture(
    clip: open_clip.CLIP, trained: NoTextTower, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = clip_config(28, "shortest", quick=False)["model_cfg"]
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "ViT-small", config)
    torch.save(released_weights(clip, trained), tmp_path / "epoch_10.pt")
    model = new_clip("ViT-small")
    assert not model.training
    torch.testing.assert_close(load_released(tmp_path / "epoch_10.pt", model)(IDS), trained(IDS))
    torch.testing.assert_close(model.encode_text(IDS), clip.encode_text(IDS))
    with pytest.raises(EmbedderError, match="open_clip has no architecture 'ViT-none'"):
        new_clip("ViT-none")


@pytest.fixture
def weights(clip: open_clip.CLIP, trained: NoTextTower) -> dict[str, Tensor]:
    return dict(released_weights(clip, trained))


def test_without_a_no_tower_it_is_copied(clip: open_clip.CLIP, tmp_path: Path):
    file = tmp_path / "clip.pt"
    torch.save(dict(clip.state_dict()), file)
    other = small_clip(seed=9)
    tower = load_released(file, other)
    torch.testing.assert_close(tower(IDS), clip.encode_text(IDS, normalize=True))


def test_a_part_of_a_no_tower_is_refused(weights: dict[str, Tensor], tmp_path: Path):
    file = tmp_path / "part.pt"
    del weights["ln_final_no.weight"]
    torch.save(weights, file)
    other = small_clip(seed=9)
    before = other.state_dict()["token_embedding.weight"].clone()
    with pytest.raises(ClipnError, match=r"lacks 1 of 30 weights.*ln_final_no\.weight"):
        load_released(file, other)
    assert torch.equal(other.state_dict()["token_embedding.weight"], before)


def test_a_hand_crafted_checkpoint_has_no_prompts(weights: dict[str, Tensor], tmp_path: Path):
    file = tmp_path / "crafted.pt"
    del weights["prompt_no"]
    torch.save(weights, file)
    assert not load_released(file, small_clip()).learnable


def test_weights_of_another_model_are_refused(weights: dict[str, Tensor], tmp_path: Path):
    file = tmp_path / "other.pt"
    torch.save({**weights, "visual.q_norm.weight": torch.ones(2)}, file)
    with pytest.raises(ClipnError, match=r"visual\.q_norm\.weight is no weight of this model"):
        load_released(file, small_clip())
    torch.save({**weights, "prompt_no": torch.zeros(16, 77, 5)}, file)
    with pytest.raises(ClipnError, match=r"prompt_no has the shape \(16, 77, 5\)"):
        load_released(file, small_clip())


def test_what_is_no_checkpoint_is_told(tmp_path: Path):
    file = tmp_path / "none.pt"
    with pytest.raises(ClipnError, match=r"none\.pt: cannot be read"):
        read_released(file)
    file.write_text("not a file of weights")
    with pytest.raises(ClipnError, match="is damaged or no file of weights"):
        read_released(file)
    torch.save([1, 2], file)
    with pytest.raises(ClipnError, match="holds no state dict"):
        read_released(file)
