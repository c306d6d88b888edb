"""`nomaly events search`: events that words describe."""

from typing import Annotated

import typer

from app.commands.events_group import EventPlace, cli
from app.commands.options import Json, print_json


@cli.command(
    epilog='Examples:  nomaly events search site "red toolbox on the left"\n\n'
    'nomaly events search hall "something that flies" --limit 5 --json'
)
def search(
    place: EventPlace,
    text: Annotated[str, typer.Argument(help="What it looks like, or words told of it.")],
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 10,
    as_json: Json = False,
) -> None:
    """Find events by what they look like and by what is told of them, the best first.

    Names, guesses, notes and cameras are searched for the words, pictures by the embedder that
    named them, colours in the pixels, and left, right, top, bottom and middle in the frame.
    """
    from app.search.search import find

    found = find([place], text, limit)
    if as_json:
        hits = [
            hit.listed.as_json() | {"score": round(hit.score, 5), "found_by": list(hit.by)}
            for hit in found.hits
        ]
        print_json({"hits": hits, "notes": list(found.notes)})
        return
    from app.commands.events_tables import print_hits

    print_hits(found.hits)
    for note in found.notes:
        typer.echo(note)
