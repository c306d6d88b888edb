"""Whether a machine judges as the one did that a detector was fitted on.

Networks compute in other precisions elsewhere, and what was normal in one is a little unusual in
another. So a detector keeps a probe: the map of its own learned picture, and that of the same
picture with a strange half. Where it is opened, both are looked at again.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from detectors.base import DetectorError
from detectors.learned import LearnedView
from detectors.scaling import resized

MARGIN = 1.15
"""A place is judged otherwise if it goes from so many times the threshold to below it, or back.
float32 instead of bfloat16 moved what lies near the threshold by 3% at most (three scenes)."""
SCALE = 1.1
"""What is usual may come out so many times as high, or as low: as if the threshold had been set
otherwise by a tenth. float32 instead of bfloat16, or the reverse, made .01 to .02."""


def probe_pictures(view: LearnedView, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture as it was learned, and with its right half turned around.

    Args:
        view: What was learned.
        size: (H, W) that the network takes.

    Returns:
        RGB uint8 [2, H, W, 3].
    """
    usual = resized(view.picture, size)
    strange = usual.copy()
    middle = size[1] // 2
    strange[:, middle:] = cv2.rotate(usual[:, middle:], cv2.ROTATE_180)
    return np.stack([usual, strange])


def checked_probe(maps: torch.Tensor | None, grid: tuple[int, int]) -> NDArray[np.float32] | None:
    """The maps of a probe out of a file; None of a file that has none.

    Raises:
        ValueError: If they are not of this grid (h, w), or hold values that no map has.
    """
    if maps is None:
        return None
    if maps.dtype != torch.float32 or maps.shape != (2, *grid):
        raise ValueError(f"probe {maps.dtype} {tuple(maps.shape)}: must be two maps {grid}")
    if not torch.isfinite(maps).all() or maps.min() < 0:
        raise ValueError("probe holds values that no map has")
    return maps.numpy()


def check_agreement(
    before: NDArray[np.float32],
    now: NDArray[np.float32],
    borne: NDArray[np.float32],
    fitted_in: str,
    here: str,
) -> None:
    """Refuse to go on where a detector would judge otherwise than it was fitted to.

    Args:
        before: Maps of the probe before the threshold, as they were at the fit [2, h, w].
        now: As they come out here.
        borne: The threshold, at every place [h, w] or [1, 1].
        fitted_in: The precision of the fit.
        here: What computes it here, in which precision.

    Raises:
        DetectorError: If places lie on the other side of the threshold, or what is usual comes out
            higher or lower throughout.
    """
    was, found = before / borne, now / borne
    lost = ((was >= MARGIN) & ~(found >= 1)).sum()
    won = ((was <= 1 / MARGIN) & ~(found <= 1)).sum()
    level = np.median(was[0])
    scale = float(np.median(found[0]) / level) if level > 0 else 1.0
    if lost == won == 0 and 1 / SCALE <= scale <= SCALE:
        return
    raise DetectorError(
        f"the detector was fitted in {fitted_in}, {here}, and it judges its own learned picture "
        f"otherwise: {lost + won} of {was.size} places, values {scale:.2f} times as high; fit it "
        "again on this machine, or with precision=float32 on the one it comes from"
    )
