"""Options that several commands take together: declared once, as fields of a dataclass."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any


def with_option_sets[R](command: Callable[..., R]) -> Callable[..., R]:
    """A command that typer can register, of one that takes dataclasses of options.

    Every parameter whose type is a dataclass is replaced by that dataclass's fields, in its place;
    what was typed comes back to the command as one object. So `looking: Looking` stands for all
    that Looking lists.

    Args:
        command: Takes options, arguments and dataclasses of options. Their names must differ.

    Returns:
        The same command, with all options in its signature.
    """
    signature = inspect.signature(command, eval_str=True)
    sets: dict[str, type[Any]] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation)
    }

    @wraps(command)
    def run(**given: Any) -> R:  # noqa: ANN401 - as typer found them by the signature
        for name, kind in sets.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        return command(**given)

    flat = [
        option
        for name, parameter in signature.parameters.items()
        for option in (_options(sets[name]) if name in sets else [parameter])
    ]
    run.__signature__ = inspect.Signature(  # pyright: ignore[reportAttributeAccessIssue]
        [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in flat]
    )
    run.__annotations__ = {option.name: option.annotation for option in flat}
    return run


def _options(kind: type[Any]) -> list[inspect.Parameter]:
    """The fields of a dataclass of options as parameters."""
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=field.type,
        )
        for field in fields(kind)
    ]
