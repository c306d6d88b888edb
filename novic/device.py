"""The one place that asks torch what hardware there is."""

from typing import TYPE_CHECKING

from novic.errors import UsageError

if TYPE_CHECKING:  # a slip of the pen is told before torch is loaded
    import torch


def check_device(name: str) -> str:
    """The name of a device, if there can be such a one; whether it is there only torch knows.

    Raises:
        UsageError: If there cannot.
    """
    kind, colon, number = name.partition(":")
    if name not in ("auto", "cpu", "cuda") and not (kind == "cuda" and colon and number.isdigit()):
        raise UsageError(f"unknown device '{name}'; use auto, cpu, cuda or cuda:N")
    return name


def cuda_devices() -> list[str]:
    """Names of the CUDA devices that torch sees, by their numbers."""
    import torch  # noqa: PLC0415

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [torch.cuda.get_device_name(number) for number in range(count)]


def resolve_device(name: str) -> "torch.device":
    """Turn a `--device` value into a torch device that exists.

    Args:
        name: `auto`, `cpu`, `cuda` or `cuda:N`. `auto` takes the first CUDA device if there is one.

    Raises:
        UsageError: If the name is unknown or that device is not there.
    """
    import torch  # noqa: PLC0415

    check_device(name)
    if name == "cpu":
        return torch.device("cpu")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda:0" if count else "cpu")
    number = name.partition(":")[2]
    if int(number or 0) >= count:
        raise UsageError(
            f"device '{name}' asked for, but torch sees {count} CUDA devices; "
            "use --device cpu or auto"
        )
    return torch.device("cuda", int(number or 0))
