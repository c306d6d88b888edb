"""Which decoders belong to a scenario, written into the file that its author writes.

Everything else in the file stays as it is, byte for byte; comments within the list are kept above
its entries.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from scenarios.settings import Bundle, Settings, faults
from scenarios.yaml_files import Document, ScenarioError, parse_yaml, write_text

_KEY = "bundles"


def write_list(path: Path, bundles: Sequence[Bundle]) -> Settings:
    """Put a list of decoders into a scenario's file, in place of the one there.

    Args:
        path: The file.
        bundles: All of them, as they are to stand there.

    Returns:
        What the file says now.

    Raises:
        ScenarioError: If it cannot be read or written, or is laid out so that the list cannot be
            put in without touching the rest; it is left as it was then.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    before = parse_yaml(text, path)
    before.checked(Settings, faults)
    fresh = _with_list(text, bundles)
    try:
        after = parse_yaml(fresh, path)
        kept = _without_list(after) == _without_list(before)
        settings = after.checked(Settings, faults)
    except ScenarioError as error:
        raise _cannot(path, bundles) from error
    if not kept or settings.bundles != list(bundles):
        raise _cannot(path, bundles)
    write_text(path, fresh)
    return settings


def _cannot(path: Path, bundles: Sequence[Bundle]) -> ScenarioError:
    return ScenarioError(
        f"{path}: the list of decoders cannot be put in without touching the rest; give bundles: "
        "lines of its own, and write there:\n" + "".join(_entries(bundles, "\n"))
    )


def _without_list(document: Document) -> dict[str, object]:
    return {key: value for key, value in document.value.items() if key != _KEY}


def _with_list(text: str, bundles: Sequence[Bundle]) -> str:
    """A file's text with the list in it."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    found = _place(text)
    if found is None:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += end
        return "".join([*lines, *_entries(bundles, end)])
    first, last, comments = found
    head, *entries = _entries(bundles, end)
    kept = [f"  {comment}{end}" for comment in comments]
    return "".join([*lines[:first], head, *kept, *entries, *lines[last + 1 :]])


def _entries(bundles: Sequence[Bundle], end: str) -> list[str]:
    if not bundles:
        return [f"{_KEY}: []{end}"]
    entries = [{"ft": bundle.ft, "path": bundle.path} for bundle in bundles]
    written = yaml.safe_dump({_KEY: entries}, sort_keys=False, allow_unicode=True, width=10_000)
    return [line + end for line in written.splitlines()]


def _place(text: str) -> tuple[int, int, list[str]] | None:
    """First and last line of the list in the file, from 0, and the comments in there."""
    node = yaml.compose(text, yaml.SafeLoader)
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    for key, value in pairs:
        if key.value == _KEY:
            marks = [(mark.line, mark.column) for mark in _ends(key, value)]
            first, last = key.start_mark.line, max(line for line, _ in marks)
            return first, last, _comments(text.splitlines()[first : last + 1], first, marks)
    return None


def _ends(*nodes: yaml.Node) -> Iterable[yaml.Mark]:
    """Where text ends in nodes; a block's own end is that of the space behind it."""
    for node in nodes:
        if isinstance(node, yaml.ScalarNode) or getattr(node, "flow_style", False):
            yield node.end_mark
        if isinstance(node, yaml.SequenceNode):
            yield from _ends(*node.value)
        elif isinstance(node, yaml.MappingNode):
            yield from _ends(*(part for pair in node.value for part in pair))


def _comments(lines: Sequence[str], first: int, ends: Sequence[tuple[int, int]]) -> list[str]:
    """Comments behind what stands on these lines, and on lines of their own."""
    found = []
    for number, line in enumerate(lines, start=first):
        column = max((column for at, column in ends if at == number), default=0)
        if column or line.lstrip().startswith("#"):
            found += re.findall(r"#.*", line[column:])
    return found
