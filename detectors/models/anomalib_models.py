"""The only module that knows anomalib.

Importing any torch module of anomalib imports its package files, and those import every model it
has (24 s the first time, 9 s later, measured with `-X importtime`). So it is imported when a
detector learns, never when one only looks.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from detectors.models.tensors import channel_variance
from novic.folders import cache_folder

# anomalib imports matplotlib, which would keep a list of fonts elsewhere in the home folder.
os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / "matplotlib"))
with warnings.catch_warnings():
    # anomalib and FrEIA, which it imports, still use old paths of timm and of anomalib itself, and
    # FrEIA has escapes that Python 3.12 frowns at. Nobody who watches a camera can act on that.
    warnings.simplefilter("ignore", FutureWarning)
    warnings.simplefilter("ignore", SyntaxWarning)
    from anomalib.models.components import MultiVariateGaussian

_ANOMALIB_RIDGE = 0.01 + 1e-5
"""What anomalib's MultiVariateGaussian adds to the diagonal of every covariance."""


def fit_gaussians(
    features: torch.Tensor, shrinkage: float, row_done: Callable[[], None] = lambda: None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit anomalib's Gaussian of every cell, with a ridge that suits the features' scale.

    anomalib adds 0.01 to the diagonal of each covariance whatever the features' scale. Dividing
    channel c by s_c beforehand and undoing it afterwards makes that 0.01 s_c², so s_c is chosen
    to make it `shrinkage` times the channel's mean variance over time. A few frames are then
    enough: detectors_spec §3.

    Args:
        features: Normal embeddings [N, D, h, w], float32.
        shrinkage: Ridge over the mean variance of a channel, above 0.
        row_done: Called after each of the h rows of cells.

    Returns:
        Means [D, h * w] and inverse covariances [h * w, D, D].
    """
    spread = channel_variance(features)  # [D]
    scale = (spread * shrinkage / _ANOMALIB_RIDGE).sqrt()
    gaussian = MultiVariateGaussian()
    with _one_thread():
        fitted = []
        for row in features.unbind(2):
            fitted.append(_fit_row(gaussian, row, scale))
            row_done()
    mean = torch.cat([mean for mean, _ in fitted], dim=1) * scale[:, None]
    inverse = torch.cat([inverse for _, inverse in fitted])
    return mean, inverse / torch.outer(scale, scale)


def _fit_row(
    gaussian: MultiVariateGaussian, row: torch.Tensor, scale: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Means [D, w] and inverse covariances [w, D, D] of one row of cells [N, D, w].

    anomalib walks through the cells one by one. Row by row, and with the frames of a cell side by
    side in memory, this takes a third of the time.
    """
    cells = (row / scale[:, None]).permute(2, 0, 1).contiguous()  # [w, N, D]
    mean, inverse = gaussian.fit(cells.permute(1, 2, 0)[..., None])
    return mean, inverse


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch from sharing out thousands of tiny matrices.

    Threads that wait for each other took ten times the processor time here, and more than that on
    a busy machine.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
