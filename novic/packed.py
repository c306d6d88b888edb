"""A decoder whose weights are laid out for the few rows of a beam search on the CPU.

An ordinary matrix product lays its weights out anew at every call. With ten rows that takes longer
than the product itself, so here it is done once, by the oneDNN operators that torch.compile uses.
They are not torch's public interface: where they are missing or differ, the decoder stays as it is.
"""

import copy

import torch
from torch import Tensor, nn

from novic.decoder import PrefixedDecoder

ROWS = 16
"""Rows that the layout is chosen for; any number works."""
TOLERANCE = 1e-4
"""Largest difference to an ordinary product, relative to its largest value."""


class PackedLinear(nn.Module):
    """x W^T with W laid out once; for inference on the CPU."""

    def __init__(self, weight: Tensor) -> None:
        """Lay out a weight matrix [out, in], float32.

        Raises:
            AttributeError, NotImplementedError, RuntimeError: If this torch cannot.
            ValueError: If the product differs from an ordinary one.
        """
        super().__init__()
        self._operators = torch.ops.mkldnn
        self._packed = self._operators._reorder_linear_weight(weight, ROWS)
        probe = torch.linspace(-1, 1, 3 * weight.shape[1]).reshape(3, -1)
        expected = nn.functional.linear(probe, weight)
        if (self(probe) - expected).abs().max() > TOLERANCE * expected.abs().max():
            raise ValueError("a packed product differs from an ordinary one")

    def forward(self, rows: Tensor) -> Tensor:
        """[..., in] to [..., out]."""
        return self._operators._linear_pointwise(rows, self._packed, None, "none", [], "")


@torch.inference_mode()
def for_inference(decoder: PrefixedDecoder) -> PrefixedDecoder:
    """A copy of a decoder that decodes as fast as its device allows.

    On the CPU scores stay equal within 1e-4. On CUDA weights and states become float16; logarithms
    are still taken in float32, by whoever decodes.

    Args:
        decoder: In eval mode. On a CPU whose torch lacks the operators it comes back as it is.
    """
    weight = decoder.token_table.weight
    if weight.device.type == "cuda":
        return copy.deepcopy(decoder).half()
    if weight.device.type != "cpu" or weight.dtype != torch.float32:
        return decoder
    packed = copy.deepcopy(decoder)
    try:
        packed.packed_output = PackedLinear(weight)
        for module in list(packed.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, nn.Linear):
                    setattr(module, name, PackedLinear(child.weight))
    except (AttributeError, NotImplementedError, RuntimeError, ValueError):
        return decoder
    return packed
