"""A topic of ROS 2 as a camera, over real DDS between processes."""

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from app.ros.address import RosTopic
from app.ros.messages import CompressedImage, Image
from app.sources.base import UnreachableError
from app.sources.live import LiveCamera, LiveSettings
from app.sources.open import kind_of, open_live
from app.sources.ros import decoded, unpacked
from app.sources.web import ReadError
from tests.peers.consumer import Consumer, wait_for
from tests.peers.pattern import SIZE, picture

PUBLISHER = """
import itertools, sys, time
import cv2, numpy as np
from app.ros.address import RosTopic
from app.ros.messages import CompressedImage, Header, Image, Time
from app.ros.topics import Publication
from tests.peers.pattern import SIZE, picture
topic = RosTopic.parse(sys.argv[1])
kind = CompressedImage if topic.compressed else Image
publication = Publication(topic.domain, topic.dds_name, kind)
for number in itertools.count(int(sys.argv[2])):
    bgr = np.ascontiguousarray(picture(number % 4096)[..., ::-1])
    header = Header(Time.of_us(time.time_ns() // 1000 - 250_000), "camera")
    if topic.compressed:
        data = cv2.imencode(".png", bgr)[1].tobytes()
        message = CompressedImage(header, "png", data)
    else:
        height, width = SIZE
        message = Image(header, height, width, "bgr8", 0, 3 * width, bgr.tobytes())
    publication.write(message, 0.0)
    time.sleep(0.04)
"""


def topic_of_its_own(kind: str) -> str:
    return f"ros://{secrets.randbelow(200)}/cam_{secrets.token_hex(4)}/image{kind}"


def publishing(address: str, first: int = 0) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PUBLISHER, address, str(first)])


@pytest.fixture(params=["/compressed", ""])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    address = topic_of_its_own(request.param)
    publisher = publishing(address)
    yield address
    publisher.kill()
    publisher.wait()


def test_pictures_arrive_in_their_colours_with_the_time_of_their_stamp(address: str):
    with Consumer(open_live(address)) as consumer:
        consumer.sees_more(5)
        numbers = consumer.numbers
        assert numbers == sorted(set(numbers))
        frame = consumer.frames[-1]
        assert np.array_equal(frame.image, picture(numbers[-1]))
        late_s = time.time_ns() / 1e9 - frame.time_us / 1e6
        assert 0.2 < late_s < 20
        assert frame.camera.endswith(("/image", "/image/compressed"))
        steps = np.diff([one.pts_s for one in consumer.frames])
        assert np.all(steps > 0)


def test_a_publisher_that_dies_is_a_gap_and_the_next_one_ends_it():
    address = topic_of_its_own("/compressed")
    first = publishing(address)
    with Consumer(LiveCamera(address, settings=LiveSettings(stall_s=1.0))) as consumer:
        consumer.sees_more(3)
        first.kill()
        first.wait()
        wait_for("the gap", lambda: bool(consumer.source.gaps))
        second = publishing(address, first=1000)
        try:
            consumer.sees_more(3)
        finally:
            second.kill()
            second.wait()
        assert consumer.last_number >= 1000
        assert consumer.source.gaps[-1].reason in ("ended", "stalled")


def test_a_topic_that_nobody_publishes_is_said_so():
    why = r"nobody publishes /cam_.*/image in domain"
    with LiveCamera(topic_of_its_own("")) as camera, pytest.raises(UnreachableError, match=why):
        camera.connect(5.0)


def test_addresses_are_read_as_people_write_them():
    topic = RosTopic.parse("ros://7/camera/image?frame_id=left")
    assert (topic.domain, topic.dds_name, topic.frame_id) == (7, "rt/camera/image", "left")
    assert kind_of("ros://0/camera/image") == "network"
    for text, why in {
        "ros://camera/image": r"is a number from 0 to 232; write ros://0/image",
        "ros://300/image": "is a number from 0 to 232",
        "ros://0/": "nothing is no topic",
        "ros://0/a-b": "/a-b is no topic",
        "ros://0/a?qos=best": "knows no qos, only frame_id",
        "ros://ann:hush@0/a": "write ros://DOMAIN/TOPIC",
    }.items():
        with pytest.raises(ValueError, match=why):
            RosTopic.parse(text)


@pytest.mark.parametrize(
    ("encoding", "depth", "pixel", "rgb"),
    [
        ("rgb8", 3, (10, 20, 30), (10, 20, 30)),
        ("bgr8", 3, (30, 20, 10), (10, 20, 30)),
        ("bgra8", 4, (30, 20, 10, 255), (10, 20, 30)),
        ("rgba8", 4, (10, 20, 30, 255), (10, 20, 30)),
        ("mono8", 1, (40,), (40, 40, 40)),
    ],
)
def test_pixels_of_each_encoding_become_rgb_without_what_pads_their_rows(
    encoding: str, depth: int, pixel: tuple[int, ...], rgb: tuple[int, ...]
):
    row = bytes(pixel) * 6 + b"\xff" * 5
    image = unpacked(Image(height=4, width=6, encoding=encoding, step=len(row), data=row * 4))
    assert image.shape == (4, 6, 3)
    assert np.all(image == rgb)
    del depth


def test_what_is_no_picture_of_eight_bits_is_named():
    with pytest.raises(ReadError, match=r"pictures as '32FC1' are not read, only rgb8"):
        unpacked(Image(height=1, width=1, encoding="32FC1", step=4, data=bytes(4)))
    with pytest.raises(ReadError, match="came with too few bytes"):
        unpacked(Image(height=2, width=2, encoding="rgb8", step=6, data=bytes(6)))
    with pytest.raises(ReadError, match="what it sends as jpeg is no picture"):
        decoded(CompressedImage(format="jpeg", data=b"no picture"))


def test_a_picture_sent_as_a_file_keeps_its_colours():
    _, data = cv2.imencode(".png", picture(5)[..., ::-1])
    image = decoded(CompressedImage(format="png", data=data.tobytes()))
    assert image.shape[:2] == SIZE
    assert np.array_equal(image, picture(5))
