"""A decoder whose weights are laid out for the few rows of a beam search on the CPU.

An ordinary matrix product lays its weights out anew at every call. With ten rows that takes longer
than the product itself, so here it is done once, by the oneDNN operators that torch.compile uses.
They are not torch's public interface: where they are missing or differ, the decoder stays as it is.

For each number of rows oneDNN writes code of its own and keeps it, .6 MB each, up to 1,024 of
them. A beam search has any number of rows, so that a watch grew by 1 GB an hour; only a few numbers
are asked for.
"""

import copy
from bisect import bisect_left

import torch
from torch import Tensor, nn

from novic.decoder import PrefixedDecoder

ROWS = 16
"""Rows that the layout is chosen for; any number works."""
TOLERANCE = 1e-4
"""Largest difference to an ordinary product, relative to its largest value."""
AT_ONCE = (*range(2, 16, 2), *(step * 2**n for n in range(2, 7) for step in range(4, 8)), 512)
"""Numbers of rows that are multiplied at once, with rows of zeros where there are fewer."""


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
        if rows.ndim > 2:
            return self(rows.flatten(0, -2)).unflatten(0, rows.shape[:-1])
        if len(rows) > AT_ONCE[-1]:
            return torch.cat([self(part) for part in rows.split(AT_ONCE[-1])])
        lacking = AT_ONCE[bisect_left(AT_ONCE, len(rows))] - len(rows)
        padded = nn.functional.pad(rows, (0, 0, 0, lacking)) if lacking else rows
        product = self._operators._linear_pointwise(padded, self._packed, None, "none", [], "")
        return product[: len(rows)] if lacking else product


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
