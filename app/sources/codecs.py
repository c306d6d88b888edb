"""What the FFmpeg libraries that came with PyAV can decode and encode."""

import av
from av.codec import codecs_available


def library_version() -> str:
    """PyAV's version and that of its libavcodec."""
    numbers = ".".join(str(part) for part in av.library_versions.get("libavcodec", ()))
    return f"PyAV {av.__version__}, libavcodec {numbers}"


def available(names: tuple[str, ...]) -> list[str]:
    """Those of some codecs that are here, in the same order."""
    return [name for name in names if name in codecs_available]
