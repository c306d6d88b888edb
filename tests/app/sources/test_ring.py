"""What a ring keeps, and the clock of its pictures."""

from app.sources.packets import parameters_in
from app.sources.ring import CLOCK_HZ, Kept, OwnClock, Ring, RingRule

SECOND = CLOCK_HZ


def filled(ring: Ring, seconds: int, key_every: int, size: int = 10, begin: int = 0) -> None:
    """A picture a second."""
    for number in range(begin, begin + seconds):
        key = number % key_every == 0
        ring.put(Kept(number, key, number * SECOND, number * SECOND, 0, bytes(size)))


def numbers(ring: Ring) -> list[int]:
    return [one.number for one in ring.all()]


def test_a_ring_begins_at_the_key_frame_before_its_seconds():
    ring = Ring(RingRule(seconds=7))
    filled(ring, 30, key_every=5)
    # 29 less 7 is 22; the key frame before that is 20.
    assert numbers(ring) == list(range(20, 30))
    assert ring.bytes == 100
    assert ring.span_s == 9


def test_nothing_is_kept_before_the_first_key_frame():
    ring = Ring(RingRule(seconds=7))
    filled(ring, 3, key_every=5, begin=1)
    assert numbers(ring) == []
    filled(ring, 3, key_every=5, begin=4)
    assert numbers(ring) == [5, 6]


def test_bytes_bound_it_whatever_the_seconds_say():
    ring = Ring(RingRule(seconds=100, most_bytes=120))
    filled(ring, 30, key_every=5)
    assert ring.bytes <= 120
    assert numbers(ring)[0] % 5 == 0
    assert numbers(ring)[-1] == 29


def test_a_stretch_without_key_frames_that_is_too_long_is_dropped_until_the_next_one():
    ring = Ring(RingRule(seconds=100, most_bytes=120))
    filled(ring, 25, key_every=20)
    assert numbers(ring) == list(range(20, 25))
    filled(ring, 14, key_every=20, begin=25)
    assert numbers(ring) == []


def test_it_keeps_less_from_when_it_is_told_to():
    ring = Ring(RingRule(seconds=100))
    filled(ring, 30, key_every=5)
    ring.keep(7)
    filled(ring, 1, key_every=5, begin=30)
    assert numbers(ring) == list(range(20, 31))


def test_who_reads_too_slowly_is_told_that_something_has_gone():
    ring = Ring(RingRule(seconds=7))
    filled(ring, 30, key_every=5)
    assert ring.since(25) == (ring.all()[5:], True)
    assert ring.since(30) == ((), True)
    assert ring.since(20)[1]
    assert not ring.since(12)[1]


def test_a_time_that_was_told_twice_means_the_newest_picture():
    ring = Ring()
    assert ring.marked(5) is None
    for number, time_us in enumerate((100, 200, 300, 200)):
        ring.mark(number, 10 * number, time_us)
    assert ring.marked(200) == (200, 30)
    assert ring.marked(290) == (300, 20)


def test_the_clock_follows_the_camera():
    clock = OwnClock()
    told = [clock.at(100 + n / 25, 100 + n / 25, n / 20) for n in range(4)]
    assert told == [(n * 3600, n * 3600) for n in range(4)]


def test_the_clock_rises_through_jumps_of_the_camera():
    clock = OwnClock()
    stamps_s = [10.0, 10.04, 3610.08, 3610.12, 5.0, 5.04]
    told = [clock.at(stamp_s, stamp_s, n / 25)[0] for n, stamp_s in enumerate(stamps_s)]
    assert told == [3600 * n for n in range(6)]


def test_a_camera_without_times_goes_by_arrival():
    clock = OwnClock()
    told = [clock.at(None, None, arrived_s) for arrived_s in (5.0, 5.5, 5.5, 6.0)]
    assert told == [(0, 0), (45000, 45000), (45001, 45001), (90000, 90000)]


def test_pictures_that_are_shown_later_than_decoded_stay_so():
    clock = OwnClock()
    assert clock.at(0.08, 0.0, 0.0) == (7200, 0)
    assert clock.at(0.2, 0.04, 0.04) == (3600 + 14400, 3600)
    # A stamp that is an hour off is a slip.
    assert clock.at(3600.0, 0.08, 0.08) == (7200, 7200)


def test_the_parameters_of_a_key_frame_are_found_before_its_pictures():
    sets = b"\x00\x00\x00\x01\x67AB\x00\x00\x00\x01\x68C"
    picture = b"\x00\x00\x01\x65" + bytes(range(1, 200))
    assert parameters_in(sets + picture, "h264") == sets
    assert parameters_in(b"\x00\x00\x01\x06note" + sets[1:] + picture, "h264") == sets
    assert parameters_in(picture + sets, "h264") == b""
    assert parameters_in(b"", "h264") == b""
    of_hevc = b"\x00\x00\x01\x40V\x00\x00\x01\x42S\x00\x00\x01\x44P"
    assert parameters_in(of_hevc + b"\x00\x00\x01\x26picture", "hevc").count(b"\x00\x00\x01") == 3
