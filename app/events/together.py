"""The stores of a place put in order together: bytes are those of all its cameras, not of each.

The oldest day of any camera gives up its clips first, then its heat maps, and so on. What is kept
of one camera counts, and the others give up more for it.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from app.events.giving_up import kept_events, retain, too_old_events, used_bytes
from app.events.media_files import MediaFile, as_given_up, enough_of, media_files
from app.events.retention import Retained, RetentionRule
from app.events.schema import WAIT_S, faults, open_database

_GIGABYTE = 1_000_000_000


def retain_all(
    folders: Sequence[Path],
    rule: RetentionRule,
    *,
    dry: bool = False,
    now_us: int | None = None,
    pause: Callable[[], bool] = lambda: False,
) -> list[Retained]:
    """Give up what the stores of a place need not keep, also while watches write there.

    Args:
        folders: Of the stores.
        rule: How much of all is kept together.
        dry: Only tell what would go.
        now_us: By which age is measured, UTC in microseconds; None for now.
        pause: Called between two steps; the rest is left for another time if it says True.

    Returns:
        What went, or would go, of each.

    Raises:
        app.errors.StoreError: If a store cannot be read or written; what went before is gone.
    """
    by_age = replace(rule, gigabytes=None)
    if dry:
        shares = _shares(folders, rule, now_us)
        return [
            retain(folder, replace(by_age, gigabytes=share), dry=True, now_us=now_us, pause=pause)
            for folder, share in zip(folders, shares, strict=True)
        ]
    done = [retain(folder, by_age, now_us=now_us, pause=pause) for folder in folders]
    return [
        _joined(one, more)
        for one, more in zip(done, retain_bytes(folders, rule, pause=pause), strict=True)
    ]


def retain_bytes(
    folders: Sequence[Path],
    rule: RetentionRule,
    *,
    pause: Callable[[], bool] = lambda: False,
) -> list[Retained | None]:
    """Give up what is beyond the bytes alone.

    Args:
        folders: Of the stores.
        rule: How many bytes of all are kept together; its days are not looked at.
        pause: See `retain_all`.

    Returns:
        What went of each; None of those that may keep all that they have.

    Raises:
        app.errors.StoreError: See `retain_all`.
    """
    rule = replace(rule, days=None)
    return [
        None
        if share is None
        # By a time before all that is stored nothing is too old.
        else retain(folder, replace(rule, gigabytes=share), now_us=0, pause=pause)
        for folder, share in zip(folders, _shares(folders, rule, None), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Held:
    """What one store holds."""

    size: int
    """Bytes, without what is too old."""
    free: list[MediaFile]
    """Files that may go."""


def _shares(folders: Sequence[Path], rule: RetentionRule, now_us: int | None) -> list[float | None]:
    """How many gigabytes each store may keep; None where nothing is to go."""
    if rule.gigabytes is None:
        return [None] * len(folders)
    most = round(rule.gigabytes * _GIGABYTE)
    held = [_held(folder, rule, now_us) for folder in folders]
    over = sum(one.size for one in held) - most
    if over <= 0:
        return [None] * len(folders)
    gone = enough_of(as_given_up((file for one in held for file in one.free), ()), over)
    of = {id(file): number for number, one in enumerate(held) for file in one.free}
    left = [one.size for one in held]
    for file in gone:
        left[of[id(file)]] -= file.size
    # What may not go is too much of each alike.
    too_much = max(1.0, sum(left) / most)
    return [
        size / too_much / _GIGABYTE if size < one.size or too_much > 1 else None
        for size, one in zip(left, held, strict=True)
    ]


def _held(folder: Path, rule: RetentionRule, now_us: int | None) -> _Held:
    with faults(folder), closing(open_database(folder, WAIT_S)) as database:
        kept = kept_events(database, confirmed=rule.keep_confirmed)
        old = too_old_events(database, rule, now_us)
        used = used_bytes(database)
    stay = [one for one in media_files(folder) if one.event_id not in old]
    size = used + sum(one.size for one in stay)
    return _Held(size, [one for one in stay if one.event_id not in kept])


def _joined(one: Retained, more: Retained | None) -> Retained:
    """What went by age, and by bytes then."""
    if more is None:
        return one
    files = {
        kind: one.files.get(kind, 0) + more.files.get(kind, 0)
        for kind in {**one.files, **more.files}
    }
    times = [
        at_us
        for at_us in (one.oldest_us, one.newest_us, more.oldest_us, more.newest_us)
        if at_us is not None
    ]
    return replace(
        one,
        rows=one.rows + more.rows,
        files=files,
        file_bytes=one.file_bytes + more.file_bytes,
        oldest_us=min(times, default=None),
        newest_us=max(times, default=None),
        bytes_left=more.bytes_left,
        over_bytes=more.over_bytes,
        longest_s=max(one.longest_s, more.longest_s),
    )
