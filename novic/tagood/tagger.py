"""Tokens from a tagger: a network that says which tags a picture has, and where it looked.

The authors use RAM (Zhang et al. 2023). Neither its program nor its weights come as packages, so
whoever has them wraps them in a `Tagger`: some lines that call its parts (tagood_spec §2.2). What
is here was tried on a small network of the same shapes, not on the released weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from novic.embedder import Pixels
from novic.tagood.errors import TagoodError
from novic.tagood.tokens import ONE_RULE, TaggedTokens, TagRule, tagged_tokens

RESIZED, SIZE = 392, 384
"""The whole picture is squeezed to the one, and of it the middle is cut out (RAM's sizes)."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, of values from 0 to 1."""
AT_ONCE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Tagging:
    """What a tagger says of B pictures."""

    probabilities: Tensor
    """Of all tags [B, K], 0 to 1."""
    attention: Tensor
    """Of its first layer: how much each head looks at each place for each tag [B, H, K, T]."""
    tokens: Tensor
    """Of the places, the global one first in RAM [B, T, W]."""


class Tagger(Protocol):
    """A network that tags, for example RAM.

    RAM with the 14M Swin-L has K = 4,585 tags, H = 4 heads, T = 145 places (one global, 12 x 12)
    and tokens of W = 512 components, after its image projection.
    """

    @property
    def tags(self) -> Sequence[str]:
        """Name of each tag."""
        ...

    def tag(self, pictures: Tensor) -> Tagging:
        """Tag pictures.

        Args:
            pictures: float32 [B, 3, 384, 384], with ImageNet's mean and deviation.
        """
        ...


def tagger_input(image: Pixels) -> Tensor:
    """A picture as RAM takes it: float32 [3, 384, 384].

    Args:
        image: RGB uint8 [H, W, 3].
    """
    squeezed = Image.fromarray(image).resize((RESIZED, RESIZED), Image.Resampling.BILINEAR)
    start = (RESIZED - SIZE) // 2
    middle = np.asarray(squeezed)[start : start + SIZE, start : start + SIZE]
    values = torch.from_numpy(middle.copy()).permute(2, 0, 1).float() / 255
    mean, deviation = (torch.tensor(v).reshape(3, 1, 1) for v in (MEAN, DEVIATION))
    return (values - mean) / deviation


def tag_pictures(
    tagger: Tagger, images: Sequence[Pixels], known: Sequence[str], rule: TagRule = ONE_RULE
) -> list[TaggedTokens]:
    """Keep of each picture what shows its known tags.

    Args:
        tagger: Says which.
        images: RGB uint8 [H, W, 3] each.
        known: Tags of the known classes; several classes may share one.
        rule: The same for known and other pictures.

    Raises:
        TagoodError: If a tag is none of the tagger's, or what it says has other shapes.
    """
    places = {name: number for number, name in enumerate(tagger.tags)}
    lacking = [name for name in known if name not in places]
    if lacking or not known:
        said = f"'{lacking[0]}' is none of the tagger's {len(places)} tags" if lacking else "no tag"
        raise TagoodError(f"{said}; name tags that it has for what is known")
    numbers = sorted({places[name] for name in known})
    found = []
    for start in range(0, len(images), AT_ONCE):
        batch = torch.stack([tagger_input(image) for image in images[start : start + AT_ONCE]])
        with torch.inference_mode():
            said = tagger.tag(batch)
        found += _kept(said, len(batch), len(places), numbers, rule)
    return found


def _kept(
    said: Tagging, pictures: int, tags: int, known: Sequence[int], rule: TagRule
) -> list[TaggedTokens]:
    probabilities, attention, tokens = (
        one.detach().float().cpu() for one in (said.probabilities, said.attention, said.tokens)
    )
    fits = attention.ndim == 4 and tokens.ndim == 3 and attention.shape[3] == tokens.shape[1]
    shapes = probabilities.shape == (pictures, tags) and attention.shape[::2] == (pictures, tags)
    if not fits or not shapes or len(tokens) != pictures:
        raise TagoodError(
            f"the tagger gave probabilities {list(probabilities.shape)}, attention "
            f"{list(attention.shape)} and tokens {list(tokens.shape)} for {pictures} pictures and "
            f"{tags} tags; they must be [B, K], [B, H, K, T] and [B, T, W]"
        )
    # Heads are summed before each tag is scaled to 0..1.
    rows = attention.sum(dim=1).numpy()
    return [
        tagged_tokens(one, row, chance, known, rule)
        for one, row, chance in zip(tokens.numpy(), rows, probabilities.numpy(), strict=True)
    ]
