"""The starter's cells: what its classifier sees of a whole picture, place by place."""

import numpy as np
import torch
from skimage import data

from novic.embedders.starter import classifier_input, conse, load_class_vectors
from novic.packaged import LITE2, load_classifier
from novic.tagood.patches import StarterPatches


def test_cells_are_the_last_map_and_mixed_as_whole_pictures_are():
    image = data.chelsea()
    found = StarterPatches().see([image, image[:, :200]])
    assert found.tokens.shape == (2, 81, 352)
    network = load_classifier(LITE2)
    with torch.inference_mode():
        maps = network.forward_features(classifier_input(image)[None])  # pyright: ignore[reportCallIssue]
        logits = network.get_submodule("classifier")(maps.flatten(2).transpose(1, 2))[0]
        head = network.get_submodule("conv_head")
        cells = torch.from_numpy(found.tokens[0]).T.reshape(1, 352, 9, 9)
        again = network.get_submodule("bn2")(head(cells))
    torch.testing.assert_close(again, maps, atol=1e-2, rtol=1e-2)
    assert found.joint is not None
    expected = conse(logits.softmax(dim=1).numpy(), load_class_vectors())
    assert (found.joint[0] * expected).sum(axis=1).min() > 0.999
    np.testing.assert_allclose(np.linalg.norm(found.joint, axis=2), 1, atol=1e-5)
