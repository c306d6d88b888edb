import threading
from collections.abc import Callable, Iterator

import pytest

from training.caches.prefetch import OneBehind, one_ahead


def test_one_item_is_made_ahead_and_no_more():
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            yield number

    ahead = one_ahead(items())
    assert next(ahead) == 0
    assert list(ahead) == [1, 2, 3, 4]
    assert made == [0, 1, 2, 3, 4]
    made.clear()
    assert next(iter(one_ahead(items()))) == 0
    assert made in ([0, 1], [0])


def test_items_are_made_in_another_thread_also_if_they_are_none():
    threads = (threading.current_thread().name if number else None for number in range(2))
    first, second = one_ahead(threads)
    assert first is None
    assert str(second).startswith("one-ahead")


def test_what_making_raises_comes_where_the_item_was_to_be_used():
    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    ahead = one_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(OSError, match="gone"):
        next(ahead)


def test_work_behind_is_done_in_order_and_before_the_end():
    done: list[int] = []
    with OneBehind() as behind:
        for number in range(20):
            behind.do(lambda number=number: done.append(number))
    assert done == list(range(20))


def fail() -> None:
    raise OSError("disk full")


def never() -> None:
    pytest.fail("begun although the one before it had failed")


def work_behind(*works: Callable[[], object]) -> None:
    with OneBehind() as behind:
        for work in works:
            behind.do(work)


def test_what_work_behind_raises_comes_with_the_next_or_at_the_end():
    with pytest.raises(OSError, match="disk full"):
        work_behind(fail)
    with pytest.raises(OSError, match="disk full"):
        work_behind(fail, never)


def test_an_interruption_is_not_hidden_by_what_work_behind_raises():
    def interrupted() -> None:
        with OneBehind() as behind:
            behind.do(fail)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
