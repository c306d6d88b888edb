"""Work that is prepared while the work before it is done."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor


def one_ahead[T](items: Iterable[T]) -> Iterator[T]:
    """The same items, each made in a thread of its own while the one before it is in use.

    Whatever making an item raises is raised where it was to be used.
    """
    iterator = iter(items)
    end = object()
    with ThreadPoolExecutor(1, "one-ahead") as thread:
        coming = thread.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, iterator, end)
            yield item  # pyright: ignore[reportReturnType] - it is not the end


class OneBehind:
    """Finishes work in a thread while the next is prepared; one piece at a time, in order.

    Leaving the context waits for the last piece and raises what it raised.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "one-behind")
        self._going_on: Future[object] | None = None

    def __enter__(self) -> "OneBehind":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown()
        if kind is None:
            self._wait()

    def do(self, work: Callable[[], object]) -> None:
        """Begin a piece of work once the one before it has ended; raises what that one raised."""
        self._wait()
        self._going_on = self._thread.submit(work)

    def _wait(self) -> None:
        if self._going_on is not None:
            self._going_on.result()
