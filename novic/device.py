"""The one place that asks torch what hardware there is."""

import torch

from novic.errors import UsageError


def resolve_device(name: str) -> torch.device:
    """Turn a `--device` value into a torch device that exists.

    Args:
        name: `auto`, `cpu`, `cuda` or `cuda:N`. `auto` takes the first CUDA device if there is one.

    Raises:
        UsageError: If the name is unknown or that device is not there.
    """
    if name == "cpu":
        return torch.device("cpu")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda:0" if count else "cpu")
    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number == "" or number.isdigit()):
        raise UsageError(f"unknown device '{name}'; use auto, cpu, cuda or cuda:N")
    if int(number or 0) >= count:
        raise UsageError(
            f"device '{name}' asked for, but torch sees {count} CUDA devices; "
            "use --device cpu or auto"
        )
    return torch.device("cuda", int(number or 0))
