"""What a watch has freed goes back to the system."""

import subprocess
import sys

import pytest

from app.memory import _glibc

GROWN = """
import sys, threading
import numpy as np
from app.memory import keep_little

if sys.argv[1] == "kept little":
    keep_little()

def rss_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

small = []
def look():
    # Pictures come and go, and something small stays behind each.
    for _ in range(40):
        pictures = [np.ones(700_000, np.uint8) for _ in range(20)]
        small.append(np.ones(60_000, np.uint8))
        pictures.clear()

before = rss_mb()
threads = [threading.Thread(target=look) for _ in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
print(rss_mb() - before - sum(one.nbytes for one in small) / 1e6)
"""


@pytest.mark.skipif(_glibc() is None, reason="this C library is not glibc")
def test_pictures_that_threads_have_freed_take_no_memory():
    done = subprocess.run(
        [sys.executable, "-c", GROWN, "kept little"], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 15
