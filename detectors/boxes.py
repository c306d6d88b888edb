"""From an anomaly map to boxes in the frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.types import Box, Detection

CUT = 0.5
"""Every region is cut again at this share of its own peak, so that the halo around a strong
anomaly does not widen its box (detectors_spec §3: IoU >= .5 recall .30 -> .63)."""
JOIN_SHARE = 0.012
"""Boxes nearer than this share of the frame's longer side are one: about a cell."""
MIN_SIDE_SHARE = 0.015
"""Regions whose longer side is below this share of the frame's longer side are noise."""


def find_boxes(
    anomaly_map: NDArray[np.float32],
    frame_size: tuple[int, int],
    *,
    min_side_share: float = MIN_SIDE_SHARE,
    join_share: float = JOIN_SHARE,
    mask: NDArray[np.bool_] | None = None,
) -> list[Detection]:
    """Find the regions of a frame that do not belong.

    Args:
        anomaly_map: One map [h, w] that covers the frame, 1.0 where it is just unusual.
        frame_size: (height, width) of the frame in pixels.
        min_side_share: Smallest longer side of a region, as a share of the frame's longer side.
        join_share: Regions nearer than this become one, as a share of the frame's longer side.
        mask: Cells that are watched [h, w]; None watches all.

    Returns:
        Detections in pixels of the frame, highest score first.

    Raises:
        ValueError: If the mask has another shape than the map.
    """
    if mask is not None and mask.shape != anomaly_map.shape:
        raise ValueError(f"the mask is {mask.shape} and the map {anomaly_map.shape}")
    values = np.nan_to_num(anomaly_map.astype(np.float32), nan=0.0, posinf=1e6, neginf=0.0)
    if mask is not None:
        values = np.where(mask, values, np.float32(0))
    height, width = frame_size
    across, down = width / values.shape[1], height / values.shape[0]
    found = [
        Detection(Box(x * across, y * down, (x + w) * across, (y + h) * down), score)
        for (x, y, w, h), score in _regions(values)
    ]
    longer = max(frame_size)
    joined = _join(found, join_share * longer)
    large = [d for d in joined if max(d.box.width, d.box.height) >= min_side_share * longer]
    return sorted(large, key=lambda d: -d.score)


type _Region = tuple[tuple[int, int, int, int], float]


def _regions(values: NDArray[np.float32]) -> list[_Region]:
    """Cells (x, y, width, height) and peak of every region, cut at half of its own peak."""
    regions: list[_Region] = []
    for label, (x, y, w, h) in _components(values > 1.0):
        window = values[y : y + h, x : x + w]
        inside = np.where(label, window, np.float32(0))
        level = max(1.0, CUT * float(inside.max()))
        for piece, (left, top, wide, high) in _components(inside >= level):
            peak = float(inside[top : top + high, left : left + wide][piece].max())
            regions.append(((x + left, y + top, wide, high), peak))
    return regions


def _components(
    cells: NDArray[np.bool_],
) -> list[tuple[NDArray[np.bool_], tuple[int, int, int, int]]]:
    """Connected groups of cells, diagonal neighbours included: their shape and place."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        cells.astype(np.uint8), connectivity=8
    )
    groups = []
    for index in range(1, count):
        x, y, w, h = (int(value) for value in stats[index, :4])
        groups.append((labels[y : y + h, x : x + w] == index, (x, y, w, h)))
    return groups


def _join(found: list[Detection], gap: float) -> list[Detection]:
    """Unite boxes nearer than `gap` pixels until none are."""
    boxes = list(found)
    merged = True
    while merged:
        merged = False
        kept: list[Detection] = []
        for one in boxes:
            near = next((i for i, other in enumerate(kept) if _near(one, other, gap)), None)
            if near is None:
                kept.append(one)
                continue
            other = kept[near]
            kept[near] = Detection(one.box.union(other.box), max(one.score, other.score))
            merged = True
        boxes = kept
    return boxes


def _near(one: Detection, other: Detection, gap: float) -> bool:
    across = max(one.box.x1, other.box.x1) - min(one.box.x2, other.box.x2)
    down = max(one.box.y1, other.box.y1) - min(one.box.y2, other.box.y2)
    return across <= gap and down <= gap
