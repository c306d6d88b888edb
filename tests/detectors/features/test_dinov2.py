"""DINOv2-S with its real weights, which `make weights` brings."""

import cv2
import numpy as np
import pytest
import skimage.data
import torch

from detectors.configs import SubspaceConfig
from detectors.features.backbones import Backbone, BackboneError
from detectors.features.dinov2 import weights_file
from detectors.features.extractors import Extractors
from detectors.models.subspace import SubspaceDetector
from detectors.types import Pixels
from novic.openvino_core import import_openvino

MIDDLE = tuple(f"/backbone/encoder/layer.{block}/Add_1" for block in (5, 8))
"""What the file calls the ends of the blocks that are read out."""
SIDE = 224
"""Pixels of the pictures that the file's own graph takes."""


@pytest.fixture(scope="module", autouse=True)
def _weights() -> None:
    try:
        weights_file()
    except BackboneError:
        pytest.skip("the weights of DINOv2-S are not here: run make weights")


@pytest.fixture(scope="module")
def extractors() -> Extractors:
    return Extractors()


@pytest.fixture(scope="module")
def backbone(extractors: Extractors) -> Backbone:
    """Loaded once; it lives as long as these tests."""
    return extractors.backbone("dinov2-s")


def by_the_file(picture: Pixels) -> np.ndarray:
    """Tokens [256, 384] of a picture [SIDE, SIDE, 3] by the graph that the file holds."""
    openvino = import_openvino()
    core = openvino.Core()
    whole = core.read_model(weights_file())
    ends = [node.output(0) for node in whole.get_ops() if node.get_friendly_name() in MIDDLE]
    part = core.compile_model(
        openvino.Model(ends, whole.get_parameters(), "middle"),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32"},
    )
    pixels = (picture / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    found = part(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32))
    return ((found[0] + found[1]) / 2)[0, 1:]


def test_its_features_are_those_of_the_file_s_own_graph(backbone: Backbone):
    picture = np.ascontiguousarray(skimage.data.astronaut()[: 2 * SIDE : 2, : 2 * SIDE : 2])
    assert (backbone.channels, backbone.stride) == (384, 14)
    net = backbone.net(torch.arange(384), (SIDE, SIDE))
    ours = net(torch.from_numpy(picture)[None])[0].flatten(1).T.numpy()
    theirs = by_the_file(picture)
    alike = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1)
    # They were written for other sides; the embeddings of places are not quite resized alike.
    assert (alike / np.linalg.norm(theirs, axis=1)).min() > 0.98


def test_a_subspace_of_it_finds_what_few_frames_do_not_show(
    backbone: Backbone,
    extractors: Extractors,
    normal: list[Pixels],
    intruder: tuple[Pixels, tuple[slice, slice]],
):
    detector = SubspaceDetector(
        SubspaceConfig(longer_side=196, passes=8, held_out_passes=4),
        torch.device("cpu"),
        extractors,
    )
    detector.fit(normal[:8])
    frame, place = intruder
    heat = detector.detect([normal[9], frame])
    assert heat.scores[0] < heat.scores[1]
    row, column = np.unravel_index(
        cv2.resize(heat.maps[1], frame.shape[1::-1], interpolation=cv2.INTER_NEAREST).argmax(),
        frame.shape[:2],
    )
    assert place[0].start <= row < place[0].stop
    assert place[1].start <= column < place[1].stop
