"""A report of many files: what each shows, and timelines of those alone that show something."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.events.reading import SourceProgress
from app.report.cards import Card

MANY = 12
"""Of more sources those without an event have no timeline of their own."""
_MOST_SAID = 4


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file with events."""

    name: str
    uri: str
    count: int
    what: str
    """Its events' headlines, the commonest first."""
    numbers: tuple[int, ...]
    """Of its events in the report."""


def of_sources(
    sources: Sequence[SourceProgress], told: Sequence[Card]
) -> list[tuple[SourceProgress, list[Card]]]:
    """The sources that have a timeline, each with its events."""
    found: dict[tuple[str, str], list[Card]] = defaultdict(list)
    for card in told:
        found[card.event.camera, card.event.video].append(card)
    pairs = []
    for one in sources:
        live = found.pop((one.camera, ""), [])
        pairs.append((one, [*found.get((one.camera, one.uri), []), *live]))
    return pairs if len(pairs) <= MANY else [pair for pair in pairs if pair[1]]


def file_rows(shown: Sequence[tuple[SourceProgress, list[Card]]]) -> list[FileRow]:
    """What files with events show."""
    rows = []
    for source, cards in shown:
        counts = Counter(card.event.category for card in cards).most_common()
        said = [f"{what} ({count})" if count > 1 else what for what, count in counts]
        more = f" and {len(said) - _MOST_SAID} more" if len(said) > _MOST_SAID else ""
        rows.append(
            FileRow(
                name=source.uri.rsplit("/", 1)[-1],
                uri=source.uri,
                count=len(cards),
                what=", ".join(said[:_MOST_SAID]) + more,
                numbers=tuple(card.number for card in cards),
            )
        )
    return rows
