"""A disk that takes no large files, for what must survive that it is full."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def small_files(most_bytes: int) -> Iterator[None]:
    """While it lasts, no file of this process can become larger; writing more is an OSError."""
    writes_no_bytecode = sys.dont_write_bytecode
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # What is imported meanwhile must leave no half a file in Python's cache.
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        sys.dont_write_bytecode = writes_no_bytecode
