"""Average precision of boxes, whatever is in them (COCO's rules, one class)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.types import Box, Detection

IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""COCO's: .50, .55, ... .95."""
_RECALLS = np.linspace(0, 1, 101)

type Judged = tuple[NDArray[np.float64], NDArray[np.bool_], int]
"""Scores [d] of an image's detections, whether each is right [d], and how many things are there."""


def average_precision(
    images: Sequence[tuple[Sequence[Detection], Sequence[Box]]], iou: float
) -> float | None:
    """Mean precision at 101 recalls from 0 to 1.

    In each image detections are taken from the highest score down; one is right if it overlaps a
    box that no better one has taken.

    Args:
        images: Detections and true boxes of each, in the same pixels.
        iou: Least intersection over union, above 0.

    Returns:
        0 to 1; None if no image holds a true box.
    """
    judged = [_judged(found, true, iou) for found, true in images]
    total = sum(count for _, _, count in judged)
    if not total:
        return None
    scores = np.concatenate([scores for scores, _, _ in judged])
    right = np.concatenate([right for _, right, _ in judged])
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    return mean_precision(hits, np.arange(1, len(hits) + 1), total)


def mean_precision(
    hits: NDArray[np.integer[Any]], taken: NDArray[np.integer[Any]], total: int
) -> float:
    """Mean, over 101 recalls from 0 to 1, of the best precision that is reached there or beyond.

    Args:
        hits: Right detections among the best, for more and more of these [d].
        taken: How many these are [d].
        total: How many things are there, at least 1.

    Returns:
        0 to 1.
    """
    precision = np.maximum.accumulate((hits / taken)[::-1])[::-1]
    places = np.searchsorted(hits / total, _RECALLS, "left")
    return float(np.append(precision, 0.0)[np.minimum(places, len(precision))].mean())


def mean_average_precision(
    images: Sequence[tuple[Sequence[Detection], Sequence[Box]]],
) -> float | None:
    """`average_precision`, the mean of those at IOUS."""
    values = [average_precision(images, iou) for iou in IOUS]
    return None if values[0] is None else float(np.mean([value or 0.0 for value in values]))


def _judged(found: Sequence[Detection], true: Sequence[Box], iou: float) -> Judged:
    ordered = sorted(found, key=lambda detection: -detection.score)
    free = list(true)
    right = np.zeros(len(ordered), np.bool_)
    for number, detection in enumerate(ordered):
        best = max(free, key=detection.box.iou, default=None)
        if best is not None and detection.box.iou(best) >= iou:
            free.remove(best)
            right[number] = True
    scores = np.array([detection.score for detection in ordered], np.float64)
    return scores, right, len(true)
