"""Puts the store of a running watch in order a few times an hour, beside everything else."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.errors import StoreError
from app.events.age_clock import AgeClock, Clock, machine_clock
from app.events.giving_up import retain
from app.events.retention import Retained, RetentionRule

EVERY_S = 900.0
"""Pause from one time to the next."""
FIRST_S = 20.0
"""After so long it is done for the first time: a beginning watch has enough to do."""
_PAUSE_S = 0.05
"""Between two steps, so that whoever waits for the database is next."""


class Doubt:
    """What is wrong with the clock by which age is measured."""

    said: str = ""
    """One sentence, where the clock jumped while the watch ran; empty if nothing is wrong."""


@contextmanager
def retaining(
    folder: Path,
    rule: RetentionRule | None,
    say: Callable[[str], None],
    *,
    first_s: float = FIRST_S,
    every_s: float = EVERY_S,
    clock: Clock = machine_clock,
) -> Iterator[Doubt]:
    """Give up what need not be kept as long as it lasts.

    Args:
        folder: Of the store.
        rule: How much is kept; None to keep all.
        say: Told in a sentence when something goes for the first time, and what is wrong.
        first_s: When it is done first, seconds.
        every_s: Pause from one time to the next.
        clock: What is asked for the time.

    Returns:
        What is wrong with the clock, meanwhile.
    """
    doubt = Doubt()
    if rule is None:
        yield doubt
        return
    over = threading.Event()
    work = _Keeping(folder, rule, say, over, AgeClock(folder, clock), doubt)
    with suppress(StoreError):
        # A doubt that an earlier session left goes on, without a pause in which it seems over.
        work.age_us()
    thread = threading.Thread(
        target=work.run, args=(first_s, every_s), name="retaining", daemon=True
    )
    thread.start()
    try:
        yield doubt
    finally:
        over.set()
        thread.join()


class _Keeping:
    def __init__(
        self,
        folder: Path,
        rule: RetentionRule,
        say: Callable[[str], None],
        over: threading.Event,
        clock: AgeClock,
        doubt: Doubt,
    ) -> None:
        self._folder, self._rule, self._over = folder, rule, over
        self._clock, self._doubt = clock, doubt
        self._told = SaidOnce(say)

    def run(self, first_s: float, every_s: float) -> None:
        pause_s = first_s
        while not self._over.wait(pause_s):
            pause_s = every_s
            try:
                done = retain(
                    self._folder,
                    self._rule,
                    now_us=self.age_us(),
                    pause=lambda: self._over.wait(_PAUSE_S),
                )
            except StoreError as error:
                self._told.say("fault", f"{error}; what is too old is given up later")
            else:
                self._told.over_with("fault")
                self._tell(done)

    def age_us(self) -> int:
        """By what time age is measured now, UTC in microseconds; says if the clock is doubted.

        Raises:
            StoreError: If what is known of the clock cannot be written.
        """
        now_us, clock = self._clock.time_us(), self._clock
        said = "" if self._rule.days is None else clock.said
        self._doubt.said = said if clock.seen else ""
        if not said:
            self._told.over_with("clock")
        elif not clock.seen:
            # A watch that nobody ran for long is no fault to wake people for.
            self._told.say("clock", said)
        return now_us

    def _tell(self, done: Retained) -> None:
        if not done.nothing:
            self._told.went(done)
        if done.over_bytes:
            self._told.over(self._folder, done.over_bytes)


class SaidOnce:
    """Says each kind of thing once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()

    def say(self, what: str, text: str) -> None:
        """Say a text, unless one of this kind was said."""
        if what not in self._said:
            self._said.add(what)
            self._say(text)

    def over_with(self, what: str) -> None:
        """Say the next of this kind again."""
        self._said.discard(what)

    def went(self, done: Retained) -> None:
        """Say that something was given up."""
        self.say("went", f"{in_words(done)}; from now on that goes without saying.")

    def over(self, folder: Path, size: int) -> None:
        """Say that so many bytes are left that should have gone."""
        self.say(
            "over",
            f"{folder}: {megabytes(size)} more than may be kept are left: events that are kept, "
            "open or not delivered are never touched.",
        )


def in_words(done: Retained, *, would: bool = False) -> str:
    """What went, for people; with `would`, what would go."""
    count = sum(done.files.values())
    gone = f"{done.events} events, {count} files ({megabytes(done.file_bytes)}), {done.rows} rows"
    return f"{done.folder}: {gone} {'would go' if would else 'went'}"


def megabytes(size: int) -> str:
    """A number of bytes for people."""
    if size >= 1_000_000_000:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.1f} MB"
