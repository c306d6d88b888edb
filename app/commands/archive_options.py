"""Options of `nomaly audit` for archives: how many look, where, and what makes it fail."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.errors import UsageError

if TYPE_CHECKING:
    from app.archive.engine import Scale
    from app.archive.failing import Check
    from app.progress import Reporter
    from app.watching.audit_request import AuditRequest
    from app.watching.results import AuditResult


@dataclass(frozen=True, slots=True)
class AtScale:
    """What archives need besides."""

    each: Annotated[
        bool,
        typer.Option(
            "--each", help="Every file is a recording of its own, whatever their times say."
        ),
    ] = False
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            help="So many processes look at once, with the same result; draws no video.",
        ),
    ] = None
    engine: Annotated[
        str,
        typer.Option(
            "--engine", metavar="local|ray", help="Where workers run: here, or as actors of Ray."
        ),
    ] = "local"
    ray_address: Annotated[
        str,
        typer.Option(
            "--ray-address",
            metavar="ADDRESS",
            help="A Ray cluster that is there, whose machines see the same files and --out.",
        ),
    ] = ""
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="CHECK",
            help="End with exit code 1 if an event is so, as 'noun=person and p>0.9'; of several "
            "one will do.",
        ),
    ] = None
    json_progress: Annotated[
        bool,
        typer.Option("--json-progress", help="Progress on stderr as a JSON object a line."),
    ] = False

    def scale(self, out: Path, *, overwrite: bool) -> "Scale | None":
        """How many look, and where; None for one after the other.

        Args:
            out: The output folder.
            overwrite: Whether what is in it is replaced.

        Raises:
            UsageError: If the options contradict each other, or what was begun in the folder.
        """
        if self.engine not in ("local", "ray"):
            raise UsageError(f"--engine {self.engine}: there are local and ray")
        if self.ray_address and self.engine != "ray":
            raise UsageError("--ray-address says where Ray is; it needs --engine ray")
        if self.workers is None:
            if self.engine == "ray":
                raise UsageError("--engine ray needs --workers N, how many look at once")
            from app.events.outputs import PARTS

            if (out / PARTS).exists() and not overwrite:
                raise UsageError(
                    f"--out {out}: this audit was begun with --workers; go on with it, or use "
                    "--overwrite to start over"
                )
            return None
        from app.archive.engine import Scale

        kind = "ray" if self.engine == "ray" else "local"
        return Scale(self.workers, kind, self.ray_address)

    def checks(self) -> "list[Check]":
        """What makes the command fail.

        Raises:
            UsageError: If one is none.
        """
        from app.archive.failing import Check

        return [Check.parse(text) for text in self.fail_on or ()]

    def reporter(self, quiet: bool) -> "Reporter":
        """Where progress is told."""
        if self.json_progress:
            from app.json_progress import JsonReporter

            return JsonReporter()
        from app.commands.options import show_progress

        return show_progress(quiet)


def run_at(scale: "Scale | None", request: "AuditRequest", reporter: "Reporter") -> "AuditResult":
    """Run an audit, by one process or at scale."""
    if scale is None:
        from app.watching.audit import audit

        return audit(request, reporter)
    from app.archive.run import audit_archive

    return audit_archive(request, scale, reporter)


def tell_found(checks: "list[Check]", result: "AuditResult") -> bool:
    """Say which checks found events; whether one did."""
    found = False
    for check in checks:
        events = check.found(result.events)
        if events:
            found = True
            more = f" and {len(events) - 1} more" if len(events) > 1 else ""
            typer.echo(
                f"nomaly: --fail-on {check.text}: {events[0].headline} ({events[0].id}){more}",
                err=True,
            )
    return found
