"""Ledgers for people."""

from collections.abc import Iterator

from app.ledger.entries import Entry, Escort, Ledger
from app.lengths import told
from app.report.times import local


def lines(ledger: Ledger) -> Iterator[str]:
    """What a ledger says: what is still there first, then what is gone, then the balance."""
    at = local(ledger.at_us)
    yield f"{ledger.camera}, {at:%Y-%m-%d %H:%M:%S}:"
    for one in ledger.inside:
        came = f"  {_thing(one)} came in {_since(one, ledger)} and has not come out"
        yield f"{came}{_by(one.brought)}"
    for one in ledger.missing:
        yield f"  {_thing(one)} is gone {_since(one, ledger)}{_by(one.brought)}"
    if not ledger.inside and not ledger.missing:
        yield "  all that came has left, and nothing is gone"
    moves = [one for one in ledger.balances if one.left or one.inside > 1]
    for one in moves:
        yield f"  {one.name}: {one.came} in, {one.left} out, {one.inside} inside"


def _thing(entry: Entry) -> str:
    """By its headline; of a missing thing without the word, which the line says."""
    return entry.event.headline.removeprefix(f"{entry.event.change}: ")


def _since(entry: Entry, ledger: Ledger) -> str:
    at, now = local(entry.from_us), local(ledger.at_us)
    when = f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S}"
    return f"at {when}, {told((ledger.at_us - entry.from_us) / 1e6)} ago"


def _by(escorts: tuple[Escort, ...]) -> str:
    if not escorts:
        return ""
    names = " or ".join(f"{one.headline} ({one.event_id})" for one in escorts[:2])
    return f"; near it then: {names}"
