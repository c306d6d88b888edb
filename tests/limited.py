"""A process that may take little memory, for what others made to take much."""

import subprocess
import sys

_LIMIT = """
import resource
from pathlib import Path
_now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (_now + {more}, _now + {more}))
"""


def run_limited(imports: str, code: str, *words: object, more_bytes: int = 64 << 20) -> str:
    """What code prints that may take so much more memory than its imports did.

    Args:
        imports: Run before the limit.
        code: Run after it.
        words: Its `sys.argv[1:]`.
        more_bytes: Of address space.
    """
    whole = f"{imports}\n{_LIMIT.format(more=more_bytes)}\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", whole, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout
