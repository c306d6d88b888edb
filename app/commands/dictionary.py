"""`nomaly scenario dictionary`: make the base noun dictionary, and look into any."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.options import Json, Quiet, command_group, print_json, show_progress
from app.errors import StoreError, UsageError
from novic.extras import needing

if TYPE_CHECKING:
    from scenarios.comparing import Change, Difference
    from scenarios.dictionary import NounEntry, ObjectDictionary

cli = command_group(
    "dictionary",
    "Noun dictionaries: make the one that sites start from, look into any.",
    "nomaly scenario dictionary build",
    "nomaly scenario dictionary search base wrench",
)

BASE = "base"

File = Annotated[
    str,
    typer.Argument(
        help="An object_nouns.json, upstream's too; the word base means the one that all "
        "scenarios start from, which is made if there is none yet."
    ),
]
Limit = Annotated[int, typer.Option(min=1, help="Lines shown at most, of each kind.")]


@cli.command(
    epilog="Examples:  nomaly scenario dictionary build\n\n"
    "nomaly scenario dictionary build --out object_nouns.json --json"
)
def build(
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The file; by default the one that scenarios start from."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make the base dictionary from WordNet and word counts: about 48,900 things to be seen.

    It takes about 10 seconds; made twice from the same installed data, the file is the same byte
    for byte.
    """
    began = time.monotonic()
    dictionary, path = _build(out, quiet=quiet)
    from novic.digest import file_sha256
    from scenarios.comparing import count_above

    made = {
        "nouns": len(dictionary.entries),
        "ft2": count_above(dictionary, 2),
        "ft6": count_above(dictionary, 6),
        "ft9": count_above(dictionary, 9),
        "seconds": round(time.monotonic() - began, 1),
        "sha256": file_sha256(path),
    }
    if as_json:
        print_json(made)
    else:
        typer.echo(
            f"Wrote {path}: {made['nouns']:,} nouns; {made['ft2']:,} above frequency 2, "
            f"{made['ft6']:,} above 6, {made['ft9']:,} above 9."
        )


@cli.command(
    epilog="Examples:  nomaly scenario dictionary show base forklift drills\n\n"
    'nomaly scenario dictionary show object_nouns.json "hot-air balloon"'
)
def show(
    file: File,
    nouns: Annotated[list[str], typer.Argument(help="Nouns, plurals or other spellings.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what a dictionary knows of nouns: every spelling with its frequency."""
    dictionary = _open(file, quiet=quiet)
    from scenarios.base.own import meant_by
    from scenarios.comparing import similar_nouns

    known = {text: meant_by(dictionary, text) for text in nouns}
    unknown = {text: similar_nouns(dictionary, text) for text in nouns if not known[text]}
    if as_json:
        found = {entry.target_noun: asdict(entry) for of in known.values() for entry in of}
        print_json({"entries": list(found.values()), "unknown": unknown})
    else:
        for entry in dict.fromkeys(entry for of in known.values() for entry in of):
            _print_entry(entry)
    for text, near in unknown.items():
        hint = f"; near to it: {', '.join(near)}" if near else ""
        typer.echo(f"nomaly: the dictionary does not know {text!r}{hint}", err=True)
    if unknown:
        raise typer.Exit(1)


@cli.command(
    epilog="Examples:  nomaly scenario dictionary search base wrench\n\n"
    'nomaly scenario dictionary search object_nouns.json "* driver" --limit 100'
)
def search(
    file: File,
    pattern: Annotated[
        str, typer.Argument(help="Part of a spelling, or all of it with * for any letters.")
    ],
    limit: Limit = 20,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find nouns by a part of any spelling, the commonest first."""
    if not pattern.strip():
        raise UsageError("nothing to search for; give a part of a noun, for example wrench")
    dictionary = _open(file, quiet=quiet)
    from scenarios.comparing import search as search_nouns

    found = search_nouns(dictionary, pattern)
    if as_json:
        print_json({"found": len(found), "entries": [asdict(entry) for entry in found[:limit]]})
        return
    for entry in found[:limit]:
        typer.echo(f"{entry.total_freq:>4}  {entry.pretty_noun}")
    typer.echo(_rest(len(found), limit) or f"{len(found):,} found")


@cli.command(epilog="Example:  nomaly scenario dictionary stats object_nouns.json")
def stats(file: File = BASE, as_json: Json = False, quiet: Quiet = False) -> None:
    """Count a dictionary's nouns, spellings and frequencies."""
    dictionary = _open(file, quiet=quiet)
    from scenarios.comparing import statistics

    counted = statistics(dictionary)
    counts = {
        name: value for name, value in asdict(counted).items() if name not in ("above", "commonest")
    }
    commonest = {entry.target_noun: entry.total_freq for entry in counted.commonest}
    if as_json:
        above = {f"ft{threshold}": count for threshold, count in counted.above.items()}
        print_json({**counts, **above, "commonest": commonest})
        return
    for name, count in counts.items():
        typer.echo(f"{count:>9,}  {name.replace('_', ' ')}")
    for threshold, count in counted.above.items():
        typer.echo(f"{count:>9,}  nouns above frequency {threshold} (FT{threshold})")
    typer.echo("Commonest: " + ", ".join(f"{noun} {freq}" for noun, freq in commonest.items()))


@cli.command(
    epilog="Examples:  nomaly scenario dictionary diff base object_nouns_airbus.json\n\n"
    "nomaly scenario dictionary diff old.json new.json --limit 100"
)
def diff(
    before: File,
    after: Annotated[str, typer.Argument(help="The dictionary to compare it with.")],
    limit: Limit = 15,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what changed from one dictionary to another: nouns, frequencies, sizes of the sets."""
    from scenarios.comparing import compare

    difference = compare(_open(before, quiet=quiet), _open(after, quiet=quiet))
    if as_json:
        print_json(_difference_as_json(difference, limit))
        return
    typer.echo(f"{'set':<5}{'before':>9}{'after':>9}")
    for threshold, (old, new) in difference.above.items():
        typer.echo(f"FT{threshold:<3}{old:>9,}{new:>9,}")
    _print_entries("added", difference.added, limit)
    _print_entries("gone", difference.gone, limit)
    _print_changes("more frequent", difference.ups, limit)
    _print_changes("less frequent", difference.downs, limit)
    if difference.respelt:
        typer.echo(f"{difference.respelt:,} of the same frequency are spelt or split otherwise")


def _build(out: Path | None, *, quiet: bool) -> "tuple[ObjectDictionary, Path]":
    from scenarios import paths as places
    from scenarios.dictionary import write_dictionary

    with needing("the base dictionary"):
        from scenarios.base.build import build_dictionary
    path = out or places.base_dictionary_path()
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name the file that --out is to write")
    with show_progress(quiet).stages() as told:
        dictionary = build_dictionary(told)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_dictionary(path, dictionary)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
    return dictionary, path


def _open(file: str, *, quiet: bool) -> "ObjectDictionary":
    """A dictionary by file, or the base dictionary."""
    from scenarios.dictionary import read_dictionary

    if file != BASE and not Path(file).exists():
        raise UsageError(f"{file}: there is no such file")
    if file != BASE:
        return read_dictionary(Path(file))
    with needing("the base dictionary"):
        from scenarios.base.build import ensure_base
    try:
        with show_progress(quiet).stages() as told:
            return read_dictionary(ensure_base(told))
    except OSError as error:
        raise StoreError(f"the base dictionary cannot be written: {error}") from error


def _print_entry(entry: "NounEntry") -> None:
    typer.echo(f"{entry.pretty_noun}: frequency {entry.total_freq}")
    for number in ("singular", "plural"):
        if spelt := ", ".join(f"{word} {freq}" for word, freq in entry.variants(number)):
            typer.echo(f"  {number}: {spelt}")


def _print_entries(kind: str, entries: "Sequence[NounEntry]", limit: int) -> None:
    typer.echo(f"{len(entries):,} {kind}")
    for entry in entries[:limit]:
        typer.echo(f"  {entry.total_freq:>4}  {entry.pretty_noun}")
    if rest := _rest(len(entries), limit):
        typer.echo(f"  {rest}")


def _print_changes(kind: str, changes: "Sequence[Change]", limit: int) -> None:
    typer.echo(f"{len(changes):,} {kind}")
    for change in changes[:limit]:
        old, new = change.before.total_freq, change.after.total_freq
        typer.echo(f"  {old:>4} to {new:>3}  {change.after.pretty_noun}")
    if rest := _rest(len(changes), limit):
        typer.echo(f"  {rest}")


def _rest(count: int, limit: int) -> str:
    return f"and {count - limit:,} more; --limit shows them" if count > limit else ""


def _difference_as_json(difference: "Difference", limit: int) -> dict[str, Any]:
    """Counts are of all, lists are as long as the limit."""

    def changes(some: "Sequence[Change]") -> dict[str, list[int]]:
        return {
            change.after.target_noun: [change.before.total_freq, change.after.total_freq]
            for change in some[:limit]
        }

    return {
        "added": len(difference.added),
        "gone": len(difference.gone),
        "up": len(difference.ups),
        "down": len(difference.downs),
        "respelt": difference.respelt,
        "sizes": {f"ft{threshold}": list(pair) for threshold, pair in difference.above.items()},
        "added_nouns": {e.target_noun: e.total_freq for e in difference.added[:limit]},
        "gone_nouns": {e.target_noun: e.total_freq for e in difference.gone[:limit]},
        "ups": changes(difference.ups),
        "downs": changes(difference.downs),
    }
