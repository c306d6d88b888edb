"""What is concluded of the pictures that came; the cameras are in `tests/peers`."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from app.sources.probe import Probe
from app.sources.probing import Onlooker, told

FPS = 20


def seen(seconds: float, speed: float, burst: int = 0) -> Onlooker:
    """A camera whose clock runs so much faster than ours, through a network that holds up."""
    onlooker, random = Onlooker(), np.random.default_rng(1)
    onlooker.size = (120, 160)
    for number in range(int(seconds * FPS)):
        taken_s = number / FPS
        came_s = max(taken_s, burst / FPS) + random.exponential(0.005)
        onlooker.pictures.append((100 + came_s, speed * taken_s, 1 + 0.002 * number))
    return onlooker


@pytest.mark.parametrize("speed", [1.0, 1.0005, 0.98])
def test_the_pace_of_a_camera_s_clock_is_found_within_its_bound(speed: float):
    found = Probe.from_said({"reason": None, "why": "", **told(seen(20, speed, burst=15))})
    assert found.drift_ppm is not None
    assert found.drift_bound_ppm is not None
    assert abs(found.drift_ppm - 1e6 * (speed - 1)) < found.drift_bound_ppm < 1500
    assert found.fps == pytest.approx(FPS / speed)
    assert found.cpu == pytest.approx(0.002 * FPS, rel=0.05)


def test_too_short_a_look_says_nothing_of_the_clock():
    found = told(seen(4, 1.0))
    assert "drift_ppm" not in found
    assert found["fps"] == pytest.approx(FPS)
    assert told(Onlooker())["frames"] == 0


def test_key_frames_and_the_camera_s_clock_are_taken_from_packets():
    onlooker = Onlooker()
    for number in range(3):
        packet = av.Packet(b"picture")
        packet.time_base, packet.pts = Fraction(1, 1000), 4000 * number
        packet.is_keyframe = number != 1
        onlooker.take(packet)  # pyright: ignore[reportArgumentType]
    onlooker.take(av.Packet(b""))  # pyright: ignore[reportArgumentType]
    assert onlooker.keys_s == [0.0, 8.0]
    assert told(onlooker)["keyframe_s"] == 8.0
    assert told(onlooker)["clock_s"] is None
    assert len(onlooker.packets) == 3
    assert struct.calcsize("=q") == 8
