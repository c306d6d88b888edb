"""YAML files that people write: what is wrong in them is told with its line and key.

The files hold plain data: mappings with text keys, lists, text, numbers. An empty value counts as
not given. Anchors and aliases are refused, as a few lines of them can unfold to gigabytes.
"""

import difflib
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from novic.errors import NomalyError
from novic.whole_files import write_whole
from scenarios.json_files import SHOWN_FAULTS


class ScenarioError(NomalyError):
    """A scenario cannot be used as it is; the text says which file, line and key, and why."""

    exit_code = 2


type Key = tuple[str | int, ...]
"""Where a value is: keys of mappings and places in lists, from 0, from the outside in."""

type Fault = tuple[Key, str]
"""Where, and what is wrong there."""

_MAPPING = "tag:yaml.org,2002:map"
_LIST = "tag:yaml.org,2002:seq"

MOST_BYTES = 4_000_000
"""Of a file; each takes some fifty times its size to read."""
_DEEPEST = 20
"""Collections within each other; nobody's settings come near it."""


@dataclass(frozen=True)
class Document:
    """What a YAML file holds, and where in the file."""

    path: Path
    value: Any
    """The values; empty ones are left out of mappings."""
    lines: Mapping[Key, int]
    """Line of each value, from 1; of one in a mapping, that of its key."""
    written: Mapping[Key, str]
    """Each value that is no mapping or list, as it stands in the file."""

    def checked[M: BaseModel](
        self, model: type[M], check: Callable[[M], Iterable[Fault]] | None = None
    ) -> M:
        """The values as a model.

        Args:
            model: What they must fit.
            check: Finds what is wrong with values that fit it one by one.

        Raises:
            ScenarioError: If they do not fit; tells up to ten faults at once.
        """
        fitting, faults = self.fitted(model)
        if fitting is not None and check is not None:
            faults = list(check(fitting))
        if fitting is None or faults:
            raise self.error(faults)
        return fitting

    def fitted[M: BaseModel](self, model: type[M]) -> tuple[M | None, list[Fault]]:
        """The values as a model, or what is wrong with them one by one."""
        try:
            return model.model_validate({} if self.value is None else self.value), []
        except ValidationError as error:
            return None, [self._fault(model, one) for one in error.errors()]

    def error(self, faults: Sequence[Fault]) -> ScenarioError:
        """Faults with their lines, in the order of these; up to ten are told."""
        ordered = sorted(faults, key=lambda fault: self._line(fault[0]))
        return ScenarioError(told([self._sentence(key, what) for key, what in ordered], self.path))

    def _sentence(self, key: Key, what: str) -> str:
        where = f"{dotted(key)}: " if key else ""
        return f"{self.path}:{self._line(key)}: {where}{what}"

    def _line(self, key: Key) -> int:
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def _fault(self, model: type[BaseModel], error: Mapping[str, Any]) -> Fault:
        """A fault that pydantic found, in words for authors."""
        key: Key = error["loc"]
        kind = error["type"]
        if kind == "extra_forbidden":
            known = _known_keys(model, key[:-1])
            close = difflib.get_close_matches(str(key[-1]), known, 1)
            advice = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            return key, f"unknown key, {advice}"
        if kind == "missing":
            return key, "is missing"
        if kind == "value_error":
            return key, str(error["ctx"]["error"])
        written = self.written.get(key)
        if kind == "string_type" and written is not None:
            if written in ("", "~", "null"):
                return key, "is empty"
            return key, f'{written} is not taken for text here; write it in quotes: "{written}"'
        said = error["msg"].removeprefix("Input ")
        shown = f"{written} " if written else ""
        return key, f"{shown}{said[0].lower()}{said[1:]}"


def dotted(key: Key) -> str:
    """A key for people: `nouns.forklift.rating`, `bundles[0].ft`."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in key]
    return "".join(parts).removeprefix(".")


def told(sentences: Sequence[str], path: Path) -> str:
    """The faults of one file: one as a sentence, several on a line each."""
    if len(sentences) == 1:
        return sentences[0]
    first = f", the first {SHOWN_FAULTS} are" if len(sentences) > SHOWN_FAULTS else ""
    listed = "".join(f"\n  {sentence}" for sentence in sentences[:SHOWN_FAULTS])
    return f"{path}: {len(sentences)} faults{first}:{listed}"


def read_yaml(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        ScenarioError: If it is missing, too large, no UTF-8, no YAML or not plain data.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ScenarioError(f"{path}: is larger than {MOST_BYTES:,} bytes, so it is not read")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(
            f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8"
        ) from error
    return parse_yaml(text, path)


def parse_yaml(text: str, path: Path) -> Document:
    """The same for text that stands, or is to stand, in a file."""
    reading = _Reading(path)
    try:
        _refuse_traps(text, path)
        node = yaml.compose(text, yaml.SafeLoader)
        value = None if node is None else reading.value(node, ())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioError(f"{path}:{line}: not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    return Document(path, value, reading.lines, reading.written)


def _refuse_traps(text: str, path: Path) -> None:
    """Refuse what takes more than its length to read: aliases, and very deep nesting."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise ScenarioError(
                f"{path}:{line}: *{event.anchor}: aliases are not read; write it out"
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ScenarioError(f"{path}:{line}: nested too deeply")


class _Reading:
    """Makes values of nodes, and notes where they are."""

    def __init__(self, path: Path) -> None:
        self.lines: dict[Key, int] = {}
        self.written: dict[Key, str] = {}
        self._path = path
        self._maker = yaml.SafeLoader("")

    def value(self, node: yaml.Node, key: Key) -> Any:  # noqa: ANN401
        """What a node stands for."""
        self.lines.setdefault(key, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode) and node.tag == _MAPPING:
            return self._mapping(node, key)
        if isinstance(node, yaml.SequenceNode) and node.tag == _LIST:
            return [self.value(item, (*key, place)) for place, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            self.written[key] = node.value
        return self._plain(node)

    def _mapping(self, node: yaml.MappingNode, key: Key) -> dict[str, Any]:
        values = {}
        for name_node, value_node in node.value:
            name = self._name(name_node)
            inner = (*key, name)
            if inner in self.lines:
                raise self._error(name_node, f"{dotted(inner)}: is there twice")
            self.lines[inner] = name_node.start_mark.line + 1
            value = self.value(value_node, inner)
            if value is not None:
                values[name] = value
        return values

    def _name(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "a key must be text")
        if not isinstance(self._plain(node), str):
            raise self._error(
                node, f'{node.value} is not taken for text here; write it in quotes: "{node.value}"'
            )
        return node.value

    def _plain(self, node: yaml.Node) -> Any:  # noqa: ANN401
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, f"{node.tag}: such values are not read")
        try:
            return self._maker.construct_object(node)
        except ValueError as error:
            raise self._error(node, f"{node.value}: {error}; write it in quotes") from error

    def _error(self, node: yaml.Node, what: str) -> ScenarioError:
        return ScenarioError(f"{self._path}:{node.start_mark.line + 1}: {what}")


def _known_keys(model: type[BaseModel], key: Key) -> list[str]:
    """Keys that a model knows at a place inside."""
    inside: Any = model
    for part in key:
        inside = _inside(_without_none(inside), part)
    inside = _without_none(inside)
    return list(inside.model_fields)


def _inside(kind: Any, part: str | int) -> Any:  # noqa: ANN401
    """Type of one part of a model, list or mapping."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is None:
        return kind.model_fields[part].annotation
    return args[1] if issubclass(origin, Mapping) else args[0]


def _without_none(kind: Any) -> Any:  # noqa: ANN401
    if typing.get_origin(kind) in (UnionType, typing.Union):
        return next(arg for arg in typing.get_args(kind) if arg is not type(None))
    return kind


def write_text(path: Path, text: str) -> None:
    """Replace a file in one go; a kill or a full disk leaves the old one.

    Raises:
        ScenarioError: If it cannot be written.
    """
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be written: {error.strerror or error}") from error
