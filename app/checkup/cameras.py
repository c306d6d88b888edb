"""What there is to say of one camera of a site."""

import json
from collections.abc import Iterator
from pathlib import Path

from app.doctor import Finding
from app.paths import path_of
from app.sources.base import GapReason
from app.sources.open import check_live, kind_of
from app.sources.probe import Probe, probe
from app.watching.sizes import same_shape
from app.watching.watch import WatchRequest
from novic.errors import NomalyError

RATE_SHARE = 0.85
"""A camera that sends less than so much of what it announces does not do what it says."""
LONG_KEYFRAME_S = 4.5
"""Clips begin at a key frame, and behind lost data nothing is seen until the next one."""
HEAVY_CPU = 0.5
"""Cores for reading one camera that are worth a word."""
TIMES_LARGER = 2.0
"""A picture whose longer side is more often that of what the detector looks at is wasted."""
CLOCK_S = 2.0
"""Seconds by which a camera's clock may be off."""
DRIFT_PPM = 1000.0

_REMEDIES: dict[GapReason, str] = {
    "auth": "check user and password, in .env or the environment; some cameras lock the account "
    "for minutes after wrong tries",
    "not found": "check the path behind the host; the camera's manual names it",
    "refused": "check host and port, and whether RTSP or HTTP is switched on in the camera",
    "unreachable": "check the host's name, and whether this machine reaches the camera's network",
    "timeout": "check host and port, a firewall between, and whether the camera has a free "
    "connection left",
    "stalled": "look at the camera's network and power; the watch connects again by itself",
    "ended": "look at the camera's network and power; the watch connects again by itself",
    "codec": "set the camera to H.264 or MJPEG, and name the address of the stream itself",
}
_ELSE = "look at the address with: nomaly watch ADDRESS --learn 10"


def examine_camera(request: WatchRequest, seconds: float) -> Iterator[Finding]:
    """Ask one camera; nothing raises.

    Args:
        request: How it is to be watched.
        seconds: How long it is looked at, the connection included.

    Yields:
        How it does as the first finding, whose name is `camera NAME`.
    """
    name = f"camera {request.camera}"
    source = str(request.source)
    try:
        check_live(source)
        kind = kind_of(source)
    except NomalyError as error:
        yield Finding(name, "fault", str(error), "correct its source in the site's file")
        return
    if kind in ("file", "folder"):
        yield _path(name, path_of(source))
        return
    found = probe(source, seconds)
    if found.fps is None:
        yield Finding(name, "fault", found.why, _remedy(found, source))
        return
    yield Finding(name, "ok", describe(found))
    if found.reason is not None:
        yield Finding(f"{name}: connection", "warning", found.why, _remedy(found, source))
    yield from advice(name, found, request)


def _remedy(found: Probe, source: str) -> str:
    if "192.0.2." in source:
        return "put the camera's own address there; this one is an example"
    return _REMEDIES.get(found.reason or "timeout", _ELSE)


def _path(name: str, path: Path) -> Finding:
    """A folder or a file that stands for a camera."""
    if path.is_dir():
        newest_s = max((one.stat().st_mtime for one in path.iterdir()), default=None)
        said = "is empty so far" if newest_s is None else "holds files"
        return Finding(name, "ok", f"{path}: a folder that {said}")
    return Finding(name, "ok", f"{path}: a file, played once")


def describe(found: Probe) -> str:
    """What a camera sends, in a line for people."""
    parts = [f"first picture after {found.connect_s or 0.0:.1f} s"]
    height, width = found.size or (0, 0)
    parts.append(f"{found.codec or 'pictures'} {width}x{height}")
    announced = "" if found.announced_fps is None else f" ({found.announced_fps:g} announced)"
    parts.append(f"{found.fps or 0.0:.1f} frames/s{announced}")
    if found.codec:
        parts.append(_key_frames(found))
        parts.append("B-frames" if found.b_frames else "no B-frames")
    costs = [] if found.cpu is None else [f"reading takes {100 * found.cpu:.1f}% of a core"]
    if found.key_cpu is not None:
        costs.append(f"decoding key frames alone {100 * found.key_cpu:.1f}%")
    parts += [", ".join(costs)] if costs else []
    if found.clock_s is not None:
        parts.append(f"its clock is {_ahead(found.clock_s)}")
    if found.drift_ppm is not None and found.drift_bound_ppm is not None:
        parts.append(f"runs {found.drift_ppm:+.0f} ± {found.drift_bound_ppm:.0f} ppm against ours")
    parts += [f"{found.damaged} damaged"] if found.damaged else []
    parts += ["over UDP"] if found.udp else []
    return "; ".join(parts)


def _key_frames(found: Probe) -> str:
    if found.keyframe_s is None:
        return f"one key frame in {found.watched_s:.0f} s" if found.keyframes else "no key frame"
    return f"a key frame every {found.keyframe_s:.1f} s"


def _ahead(seconds: float) -> str:
    return f"{abs(seconds):.1f} s {'ahead' if seconds >= 0 else 'behind'}"


def advice(name: str, found: Probe, request: WatchRequest) -> Iterator[Finding]:
    """What could be better about a camera that sends.

    Yields:
        A warning for each, whose name begins with the camera's.
    """
    yield from _pace(name, found, request)
    yield from _coding(name, found)
    yield from _size(name, found, request)
    if found.clock_s is not None and abs(found.clock_s) > CLOCK_S:
        yield Finding(
            f"{name}: clock",
            "warning",
            f"its clock is {_ahead(found.clock_s)}",
            "name a time server in the camera; events tell this machine's time, so the time that "
            "the camera draws into its pictures will differ",
        )
    drift, bound = found.drift_ppm, found.drift_bound_ppm
    if drift is not None and bound is not None and abs(drift) - bound > DRIFT_PPM:
        yield Finding(
            f"{name}: pace of its clock",
            "warning",
            f"its times run {drift / 1e4:+.2f}% against this machine's",
            "set its frame rate to one that it keeps, or lower its resolution",
        )


def _pace(name: str, found: Probe, request: WatchRequest) -> Iterator[Finding]:
    fps, announced = found.fps or 0.0, found.announced_fps
    if announced and fps < RATE_SHARE * announced:
        yield Finding(
            f"{name}: rate",
            "warning",
            f"it announces {announced:g} frames/s and sends {fps:.1f}",
            "lower its resolution or bit rate, switch off its slow shutter in the dark, or look "
            "for loss in the network",
        )
    if request.fps is not None and fps < RATE_SHARE * request.fps:
        yield Finding(
            f"{name}: pace",
            "warning",
            f"it sends {fps:.1f} frames/s, and {request.fps:g} are to be looked at",
            f"set the camera to more frames, or say fps: {max(1, round(fps))} in the site's file",
        )
    if found.damaged:
        yield Finding(
            f"{name}: damage",
            "warning",
            f"{found.damaged} packets or pictures of {found.frames + found.damaged} came damaged",
            "use a cable, lower the bit rate, or have it send over TCP",
        )


def _coding(name: str, found: Probe) -> Iterator[Finding]:
    long_s = found.keyframe_s
    if found.codec and long_s is None and found.watched_s > LONG_KEYFRAME_S:
        long_s = found.watched_s
    if long_s is not None and long_s > LONG_KEYFRAME_S:
        yield Finding(
            f"{name}: key frames",
            "warning",
            f"behind a key frame none comes for {long_s:.1f} s or longer",
            "set the key frame interval (GOP, I-frame interval) to 1 or 2 s: clips begin there, "
            "and behind lost data nothing is seen until the next one",
        )
    if found.b_frames:
        yield Finding(
            f"{name}: B-frames",
            "warning",
            "it sends B-frames, so that pictures come later than they need",
            "set its profile to Baseline, or switch B-frames and smart coding off",
        )
    if found.cpu is not None and found.cpu > HEAVY_CPU:
        yield Finding(
            f"{name}: cost",
            "warning",
            f"reading it takes {100 * found.cpu:.0f}% of a core",
            "name its substream, or lower its resolution or frame rate",
        )


def _size(name: str, found: Probe, request: WatchRequest) -> Iterator[Finding]:
    size = found.size
    if size is None:
        return
    learned = _learned_size(request)
    if learned is not None and not same_shape(size, learned):
        yield Finding(
            f"{name}: shape",
            "fault",
            f"its pictures are {size[1]}x{size[0]}, and the detector learned {learned[1]}x"
            f"{learned[0]}, which has another shape",
            "set the camera back, or let it learn anew: learn: 60s in place of detector",
        )
    side = getattr(request.detector_config, "longer_side", None)
    if request.detector is None and side is not None and max(size) > TIMES_LARGER * side:
        wide, high = (round(one * side / max(size)) for one in (size[1], size[0]))
        yield Finding(
            f"{name}: size",
            "warning",
            f"it sends {size[1]}x{size[0]}, and the detector looks at {wide}x{high} of it",
            f"its substream would do if that has {side} pixels or more on its longer side (often "
            "/stream2, subtype=1 or /102 in the address); names are better in the large picture",
        )


def _learned_size(request: WatchRequest) -> tuple[int, int] | None:
    """(height, width) that the detector which is named learned; None if it cannot be told."""
    if request.detector is None:
        return None
    try:
        height, width = json.loads((request.detector / "detector.json").read_text())["frame_size"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return int(height), int(width)
