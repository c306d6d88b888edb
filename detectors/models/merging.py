"""Gaussians that take up more normal pictures without the old ones, by their counts and moments."""

import torch

from detectors.models.gaussians import CellGaussians
from detectors.models.tensors import SMALLEST_VARIANCE


def merged(
    old: CellGaussians, count: int, features: torch.Tensor, shrinkage: float
) -> CellGaussians:
    """The Gaussians of the old pictures and new ones together.

    Mean and scatter of two samples add up (Chan, Golub and LeVeque 1979). The old covariance is
    what its whitening inverts, less the ridge, which `fit_gaussians` made `shrinkage` times the
    mean variance of a channel: so it is known from the diagonal.

    Args:
        old: Of the pictures before.
        count: How many those were, at least 2.
        features: Of the new pictures [N, D, h, w], float32, N at least 2.
        shrinkage: Ridge over the mean variance of a channel, the same for both.

    Returns:
        On the CPU.
    """
    whitening, before = old.whitening.cpu().float(), old.mean.cpu()
    cells = features.cpu().permute(2, 3, 0, 1).flatten(0, 1)  # [h * w, N, D]
    more = cells.shape[1]
    covariance = torch.cholesky_inverse(whitening)
    diagonal = covariance.diagonal(dim1=1, dim2=2)
    variance = diagonal.mean(dim=0) / (1 + shrinkage)  # [D]
    diagonal -= shrinkage * variance
    after = cells.mean(dim=1)
    apart = after - before
    total = count + more
    # In place and cell by cell: of a large view a second copy would be gigabytes.
    for cell in range(len(covariance)):
        off = cells[cell] - after[cell]
        scatter = covariance[cell] * (count - 1)
        scatter += off.T @ off
        scatter += torch.outer(apart[cell], apart[cell]) * (count * more / total)
        covariance[cell] = scatter / (total - 1)
    variance = diagonal.mean(dim=0).clamp_min(SMALLEST_VARIANCE)
    diagonal += shrinkage * variance
    for cell in range(len(covariance)):
        covariance[cell] = torch.cholesky_inverse(torch.linalg.cholesky(covariance[cell]))
    mean = (count * before + more * after) / total
    return CellGaussians.from_inverse(mean.T, covariance, old.grid)


def nearer(old: CellGaussians, new: CellGaussians) -> float:
    """How far what the old Gaussians learned is from the new ones, over how far from their own.

    The root mean square of distances is sqrt(trace(P_new (C_old + apart apart^T))) by the new
    precision P and sqrt(D) by the old one; the median cell decides.
    """
    depth = old.mean.shape[1]
    whitening = new.whitening.cpu().float()
    covariance = torch.cholesky_inverse(old.whitening.cpu().float())
    apart = (new.mean.cpu() - old.mean.cpu())[:, None]
    inside = (torch.matmul(covariance, whitening) * whitening).sum(dim=(1, 2))
    shifted = torch.matmul(apart, whitening).square().sum(dim=(1, 2))
    return float(((inside + shifted) / depth).sqrt().median())
