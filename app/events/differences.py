"""In words, in which settings two runs differ."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_FILES = {"videos": "video", "normal": "normal video"}
"""Settings that hold files as [path, bytes, time of the last change], one or a list of them."""
_WORDS = {
    "normal_first_s": "--normal-first",
    "learn_s": "--learn",
    "zones": "--exclude",
    "rule": "the scenario's rule",
    "belonging": "what the scenario says of belonging",
    "false_events": "--false-events",
    "bar": "--bar",
    "each": "--each",
    "tell": "--tell",
}
_MODEL = "namer"


def difference(asked: Mapping[str, Any], earlier: Mapping[str, Any]) -> str:
    """What is asked for now and was otherwise before, one after the other."""
    names = [name for name in asked if asked[name] != earlier.get(name)]
    return ", ".join(_differs(name, earlier.get(name), asked[name]) for name in names)


def _differs(name: str, before: object, now: object) -> str:
    if name in _FILES and (_is_files(before) or _is_files(now)):
        return _other_files(_FILES[name], _files(before), _files(now))
    if name == _MODEL:
        return "another model names things (--model, --scenario)"
    shown = _WORDS.get(name, name)
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        return f"{shown} ({_other_values(before, now)})"
    return f"{shown} ({_value(before)} before, {_value(now)} now)"


def _other_files(what: str, before: Sequence[Sequence[Any]], now: Sequence[Sequence[Any]]) -> str:
    paths_before, paths_now = ([str(file[0]) for file in files] for files in (before, now))
    if paths_before == paths_now:
        changed = [_name(new[0]) for old, new in zip(before, now, strict=True) if old != new]
        return f"{what} {', '.join(changed)} has changed since"
    other = f"other {what}s" if len(now) > 1 else f"another {what}"
    if not now:
        return f"no {what} (before {_names(before, now)})"
    return f"{other} ({_names(now, before)}, before {_names(before, now) or 'none'})"


def _names(files: Sequence[Sequence[Any]], others: Sequence[Sequence[Any]]) -> str:
    """Names of files, the first few; whole paths where names alone say nothing."""
    alike = {_name(file[0]) for file in files} & {_name(file[0]) for file in others}
    shown = [str(file[0]) if _name(file[0]) in alike else _name(file[0]) for file in files]
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def _name(path: object) -> str:
    return Path(str(path)).name


def _files(value: object) -> list[list[Any]]:
    """One file, several or none as a list of them."""
    if not isinstance(value, list) or not value:
        return []
    return [value] if isinstance(value[0], str) else value


def _is_files(value: object) -> bool:
    files = _files(value)
    return bool(files) and all(isinstance(file, list) and file for file in files)


def _other_values(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return ", ".join(
        f"{name} {_value(before.get(name))} before, {_value(now.get(name))} now" for name in names
    )


def _value(value: object) -> str:
    if value is None or value in ([], ""):
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(one)}" for name, one in value.items())
    if isinstance(value, list):
        return f"[{' '.join(map(_value, value))}]"
    return str(value)
