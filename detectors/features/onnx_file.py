"""The tensors and the nodes of an ONNX file, without the library of that name.

Only what a checked file of known content needs: the wire format of Protocol Buffers, and of ONNX's
messages the fields read below (onnx.proto, IR version 4 and later).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

_GRAPH = 7
_NODE, _INITIALIZER = 1, 5
_INPUT, _OUTPUT, _OP_TYPE = 1, 2, 4
_DIMS, _DATA_TYPE, _TENSOR_NAME, _RAW_DATA = 1, 2, 8, 9
_FLOAT = 1

type _Value = int | memoryview


@dataclass(frozen=True, slots=True)
class Node:
    """One operation."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_onnx(path: Path) -> tuple[dict[str, torch.Tensor], list[Node]]:
    """The float32 initialisers by name, and the nodes in their order.

    Args:
        path: A file whose content was checked before.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is no ONNX file, or a tensor is not what it says; an IndexError if it
            breaks off.
    """
    tensors: dict[str, torch.Tensor] = {}
    nodes: list[Node] = []
    for number, graph in _fields(memoryview(path.read_bytes())):
        if number != _GRAPH:
            continue
        for part, content in _fields(graph):
            if part == _NODE:
                nodes.append(_node(content))
            elif part == _INITIALIZER:
                tensors |= _tensor(content)
    return tensors, nodes


def _node(content: _Value) -> Node:
    found: dict[int, list[str]] = {_INPUT: [], _OUTPUT: [], _OP_TYPE: []}
    for number, value in _fields(content):
        if number in found and isinstance(value, memoryview):
            found[number].append(str(value, "utf-8"))
    return Node("".join(found[_OP_TYPE]), tuple(found[_INPUT]), tuple(found[_OUTPUT]))


def _tensor(content: _Value) -> dict[str, torch.Tensor]:
    shape: list[int] = []
    kind, name, raw = 0, "", memoryview(b"")
    for number, value in _fields(content):
        if isinstance(value, int):
            if number == _DIMS:
                shape.append(value)
            elif number == _DATA_TYPE:
                kind = value
        elif number == _TENSOR_NAME:
            name = str(value, "utf-8")
        elif number == _RAW_DATA:
            raw = value
    if kind != _FLOAT:
        return {}
    return {name: torch.from_numpy(np.frombuffer(raw, "<f4").copy().reshape(shape))}


def _fields(content: _Value) -> Iterator[tuple[int, _Value]]:
    """Numbers and values of the fields of a message."""
    if isinstance(content, int):
        raise ValueError("no message where one has to be")
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        match key & 7:
            case 0:
                value, at = _varint(content, at)
            case 2:
                length, at = _varint(content, at)
                value, at = content[at : at + length], at + length
            case 1 | 5 as kind:
                length = 8 if kind == 1 else 4
                value, at = content[at : at + length], at + length
            case kind:
                raise ValueError(f"no ONNX file: a field of type {kind}")
        yield key >> 3, value


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
