"""All sinks there are: a new one is a module, a member of `AnySink` and a case of `build_sink`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import assert_never, get_args

from app.errors import UsageError
from app.sinks.apprise import AppriseConfig, AppriseSink
from app.sinks.base import Sink
from app.sinks.command import CommandConfig, CommandSink
from app.sinks.grouping import Grouping
from app.sinks.jsonl import JsonlConfig, JsonlSink
from app.sinks.mqtt import MqttConfig, MqttSink
from app.sinks.ros import RosConfig, RosSink
from app.sinks.webhook import WebhookConfig, WebhookSink

COMMAND = "command"
type AnySink = JsonlConfig | CommandConfig | WebhookConfig | MqttConfig | AppriseConfig | RosConfig
"""Told apart by `kind`."""


def build_sink(config: AnySink, folder: Path) -> Sink:
    """The sink of a configuration.

    Args:
        config: Where it delivers.
        folder: Of the store whose events it is given.
    """
    match config:
        case JsonlConfig():
            return JsonlSink(config)
        case CommandConfig():
            return CommandSink(config, folder)
        case WebhookConfig():
            return WebhookSink(config)
        case MqttConfig():
            return MqttSink(config)
        case RosConfig():
            return RosSink(config)
        case AppriseConfig():
            return AppriseSink(config, folder)
        case _:
            assert_never(config)


def grouping_of(config: AnySink) -> Grouping:
    """What of a sink's messages is told together: notifications are, records are not."""
    match config:
        case AppriseConfig():
            return Grouping(config.group_s, rings_only=True)
        case CommandConfig() | WebhookConfig():
            return Grouping(config.group_s)
        case JsonlConfig() | MqttConfig() | RosConfig():
            return Grouping()
        case _:
            assert_never(config)


def sink_kinds() -> dict[str, type[AnySink]]:
    """The configurations of `AnySink` by their `kind`."""
    union = AnySink.__value__
    members = get_args(union) or (union,)
    return {member.model_fields["kind"].default: member for member in members}


def parse_sink(text: str) -> AnySink:
    """Read `KIND:WHERE`, as it is written on the command line.

    Raises:
        UsageError: If there is no such kind, or `WHERE` makes no sense to it.
    """
    kinds = sink_kinds()
    kind, _, where = text.partition(":")
    examples = ", ".join(f"{kind}:{config.example}" for kind, config in kinds.items())
    if kind not in kinds:
        raise UsageError(f"--sink {text}: there is no sink {kind!r}; write for example {examples}")
    try:
        return kinds[kind].from_text(where)
    except ValueError as error:
        raise UsageError(f"--sink {text}: {error}; write for example {examples}") from error


def parse_sinks(
    texts: Sequence[str], commands: Sequence[str] = (), group_s: float | None = None
) -> tuple[AnySink, ...]:
    """Read all sinks of a command.

    Args:
        texts: `KIND:WHERE` each, of `--sink`.
        commands: Of `--on-event`.
        group_s: What rings within so many seconds of a notification is told together by the sinks
            that can; None for what each does by itself.

    Raises:
        UsageError: If one makes no sense or is named twice, or none can group.
    """
    asked = [*texts, *(f"{COMMAND}:{command}" for command in commands)]
    sinks = tuple(map(parse_sink, asked))
    if group_s is not None:
        if not any("group_s" in type(sink).model_fields for sink in sinks):
            raise UsageError(
                f"--group {group_s:g}: nothing is told together without --on-event, --sink "
                "apprise or --sink webhook"
            )
        sinks = tuple(map(partial(_grouped, group_s=group_s), sinks))
    if len({sink.key for sink in sinks}) < len(sinks):
        raise UsageError(f"--sink {', '.join(asked)}: one of them is named twice")
    return sinks


def _grouped(sink: AnySink, group_s: float) -> AnySink:
    news = {"group_s": group_s} if "group_s" in type(sink).model_fields else {}
    return sink.model_copy(update=news)
