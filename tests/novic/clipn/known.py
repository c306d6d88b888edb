"""Vectors whose losses and scores were worked out with the authors' own functions; small models."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from novic.embedders.openclip import OpenClipEmbedder, openclip_source
from tests.novic.clips import clip_config, save_model

type Rows = NDArray[np.float64]


def fixed_vectors() -> tuple[Rows, Rows, Rows]:
    """Unit vectors of three images, their texts and the "no" of these."""
    images = [[1, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0]]
    texts = [[1, 1, 0, 1], [0, 1, 2, 0], [1, 0, 1, 1]]
    no_texts = [[1, -1, 1, 0], [2, 1, 0, 0], [0, 1, 1, -1]]
    found = [np.asarray(rows, np.float64) for rows in (images, texts, no_texts)]
    one, two, three = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in found)
    return one, two, three


def small_openclip(folder: Path, seed: int = 0) -> OpenClipEmbedder:
    """An embedder of the released models' kind from its files, with random weights."""
    save_model(folder, clip_config(28, "shortest", quick=False), seed)
    return OpenClipEmbedder(openclip_source(str(folder)), torch.device("cpu"))
