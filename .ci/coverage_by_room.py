"""Tell what share of the product's lines the tests ran: one line for all, a table by room.

Run by `make test COVERAGE=1` after the tests. It is a report, not a gate. Commands and readers in
processes of their own are counted, but not what was killed at once, which can save nothing.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import coverage

REPORT = Path(".coverage") / "report.json"


def share(covered: int, lines: int) -> str:
    """Per cent with one decimal."""
    return f"{100 * covered / max(1, lines):5.1f} %"


def main() -> None:
    """Join what all processes saved, and print it."""
    measured = coverage.Coverage()
    measured.combine()
    measured.json_report(outfile=str(REPORT))
    covered: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for file, facts in json.loads(REPORT.read_text())["files"].items():
        room = Path(file).parts[0]
        covered[room] += facts["summary"]["covered_lines"]
        lines[room] += facts["summary"]["num_statements"]
    said = [f"coverage: {share(covered.total(), lines.total())} of {lines.total()} lines"]
    for room, count in (+lines).items():
        said.append(f"  {room:<12}{share(covered[room], count)} of {count:5}")
    sys.stdout.write("\n".join(said) + "\n")


if __name__ == "__main__":
    main()
