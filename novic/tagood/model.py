"""A TagOOD in use: vectors of pictures by their kept tokens.

Scores of these vectors are in `calibration.tagood`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from novic.tagood.projector import Projector
from novic.tagood.tokens import TaggedTokens, padded

AT_ONCE = 64
"""Pictures that are projected at once; those of about as many tokens together."""


def features_of(projector: Projector, pictures: Sequence[TaggedTokens]) -> NDArray[np.float32]:
    """Vectors of pictures, with the projector in the mode that it is in.

    Args:
        projector: On any device.
        pictures: N of them; a picture without a tag has the class token alone.

    Returns:
        z [N, W].

    Raises:
        UsageError: If tokens are of another width or too many.
    """
    device = projector.cls_token.device
    found = np.zeros((len(pictures), projector.sizes.width), np.float32)
    order = sorted(range(len(pictures)), key=lambda number: len(pictures[number].tokens))
    for start in range(0, len(order), AT_ONCE):
        chosen = order[start : start + AT_ONCE]
        rows = [pictures[number].tokens for number in chosen]
        width = next((one.shape[1] for one in rows if len(one)), projector.sizes.width)
        tokens, padding = padded(rows, width)
        with torch.inference_mode():
            found[chosen] = projector(tokens.to(device), padding.to(device)).features.cpu().numpy()
    return found
