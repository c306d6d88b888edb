"""Pictures of a topic of ROS 2."""

import time
from collections.abc import Callable, Generator

import cv2
import numpy as np
from numpy.typing import NDArray

from app.ros.address import RosTopic
from app.ros.messages import CompressedImage, Image
from app.ros.topics import Subscription
from app.sources.publisher import Picture, Publisher, ReadRequest
from app.sources.web import ReadError
from detectors.types import Pixels

_FOUND_S = 3.0
"""After so long somebody who publishes would have been found."""
_LOOK_S = 0.1
"""How often it looks who publishes, while no picture comes."""
_RGB: dict[str, tuple[int, int | None]] = {
    "rgb8": (3, None),
    "bgr8": (3, cv2.COLOR_BGR2RGB),
    "8UC3": (3, cv2.COLOR_BGR2RGB),
    "rgba8": (4, cv2.COLOR_RGBA2RGB),
    "bgra8": (4, cv2.COLOR_BGRA2RGB),
    "8UC4": (4, cv2.COLOR_BGRA2RGB),
    "mono8": (1, cv2.COLOR_GRAY2RGB),
    "8UC1": (1, cv2.COLOR_GRAY2RGB),
    "yuv422": (2, cv2.COLOR_YUV2RGB_UYVY),
    "uyvy": (2, cv2.COLOR_YUV2RGB_UYVY),
    "yuv422_yuy2": (2, cv2.COLOR_YUV2RGB_YUY2),
    "yuyv": (2, cv2.COLOR_YUV2RGB_YUY2),
    "bayer_rggb8": (1, cv2.COLOR_BayerBG2RGB),
    "bayer_bggr8": (1, cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg8": (1, cv2.COLOR_BayerGR2RGB),
    "bayer_grbg8": (1, cv2.COLOR_BayerGB2RGB),
}
"""Of each encoding (sensor_msgs/image_encodings.hpp) the bytes a pixel, and how it becomes RGB."""


def ros_pictures(request: ReadRequest, publisher: Publisher) -> Generator[Picture]:
    """Subscribe to an image topic and yield its newest pictures.

    Raises:
        ReadError: If nobody publishes it, or what comes is no picture of 8 bits.
    """
    try:
        topic = RosTopic.parse(request.address)
    except ValueError as error:
        raise ReadError("not found", str(error)) from error
    if topic.compressed:
        yield from _shown(topic, CompressedImage, decoded, request.open_s, publisher)
    else:
        yield from _shown(topic, Image, unpacked, request.open_s, publisher)


def _shown[M: (CompressedImage, Image)](
    topic: RosTopic,
    kind: type[M],
    picture: Callable[[M], Pixels],
    open_s: float,
    publisher: Publisher,
) -> Generator[Picture]:
    subscription = Subscription(topic.domain, topic.dds_name, kind)
    publisher.stamped = True
    until_s, came = time.monotonic() + min(open_s, _FOUND_S), False
    while True:
        subscription.wait(_LOOK_S)
        for message in subscription.take():
            came = True
            # Where nobody stamps, the clock of its arrival has to do.
            yield picture(message), message.header.stamp.seconds or None
        if subscription.writers:
            continue
        if came:
            return
        if time.monotonic() > until_s:
            raise ReadError("not found", f"nobody publishes {topic.name} in domain {topic.domain}")


def decoded(message: CompressedImage) -> Pixels:
    """A picture that came as a file.

    Raises:
        ReadError: If it is none.
    """
    data = np.frombuffer(bytes(message.data), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise ReadError("codec", f"what it sends as {message.format or 'a file'} is no picture")
    return np.ascontiguousarray(np.asarray(image, np.uint8)[..., ::-1])


def unpacked(message: Image) -> Pixels:
    """A picture that came as pixels.

    Raises:
        ReadError: If its encoding is not known, or bytes are missing.
    """
    if message.encoding not in _RGB:
        known = ", ".join(_RGB)
        raise ReadError("codec", f"pictures as {message.encoding!r} are not read, only {known}")
    depth, convert = _RGB[message.encoding]
    height, width, step = message.height, message.width, message.step
    if step < width * depth or len(message.data) < height * step or not height * width:
        raise ReadError("codec", f"a picture of {width} x {height} came with too few bytes")
    rows = np.frombuffer(bytes(message.data), np.uint8, height * step).reshape(height, step)
    stored: NDArray[np.uint8] = rows[:, : width * depth].reshape(height, width, depth)
    if convert is None:
        return np.ascontiguousarray(stored)
    return np.asarray(cv2.cvtColor(stored, convert), np.uint8)
