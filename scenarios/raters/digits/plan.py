"""Which nouns are asked together, and which lines are hidden among them.

All is drawn from hashes of the run's seed and of what is drawn, so a plan made again is the same.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scenarios.raters.digits.prompts import REAL_LINES, SPLITS, splits
from scenarios.ratings.records import Line, Place, Planned


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes the requests of one round."""

    place: Place
    seed: int
    made: int
    """Requests of the run before this round: hidden lines go round from there."""
    spellings: Mapping[str, str]
    """How examples are asked that are in the dictionary; the others as their target noun."""
    repeatable: Sequence[Line] = ()
    """Nouns with an answer from earlier rounds that are not asked in this one. One of them is asked
    again in each request, to see whether the model says the same. As its first answer is known
    before the round, a reply can be judged the moment it comes, and in any order."""

    def requests(
        self, groups: Sequence[Sequence[Line]], opinion: int, attempt: int, made: int
    ) -> list[Planned]:
        """A request for every group.

        Args:
            groups: Nouns to be asked together.
            opinion: The how-manieth of these nouns.
            attempt: 1, or more if they were asked in vain before.
            made: Requests of this round before these.
        """
        first = self.made + made
        return [
            self._request(group, opinion, attempt, first + place)
            for place, group in enumerate(groups)
        ]

    def _request(self, nouns: Sequence[Line], opinion: int, attempt: int, number: int) -> Planned:
        split, turn = number % SPLITS, number // SPLITS
        told = splits(self.place)[split]
        positive = told.hidden_seen[turn % len(told.hidden_seen)]
        # Another pairing every time round, so that no two examples depend on each other.
        shift = turn + turn // len(told.hidden_seen)
        negative = told.hidden_never[shift % len(told.hidden_never)]
        lines = [
            *nouns,
            Line(positive, self.spellings.get(positive, positive), "positive"),
            Line(negative, self.spellings.get(negative, negative), "negative"),
        ]
        if self.repeatable:
            drawn = int(draw(self.seed, "duplicate", number)[:12], 16)
            again = self.repeatable[drawn % len(self.repeatable)]
            lines.append(Line(again.target_noun, again.asked_as, "duplicate"))
        lines.sort(key=lambda line: draw(self.seed, opinion, attempt, number, line.target_noun))
        return Planned(tuple(lines), opinion, attempt, split)


def first_round(lines: Sequence[Line], planner: Planner) -> list[Planned]:
    """The first requests of a run: a pilot, in which every example is judged.

    It is no larger than that takes, so a model that is of no use costs little. With few nouns it is
    all there is to ask, in more and shorter requests than otherwise.
    """
    count = pilot_size(planner.place)
    nouns = shuffled(lines, planner.seed, 1)[: count * REAL_LINES]
    return planner.requests(dealt(nouns, count), 1, 1, 0)


def pilot_size(place: Place) -> int:
    """Requests in which every example is judged at least once: 12 with 10 + 10 examples."""
    parts = splits(place)
    return SPLITS * max(max(len(p.hidden_seen), len(p.hidden_never)) for p in parts)


def grouped(lines: Sequence[Line], seed: int, opinion: int) -> list[list[Line]]:
    """Nouns in requests of even size, shuffled anew for every opinion."""
    return dealt(shuffled(lines, seed, opinion), -(-len(lines) // REAL_LINES))


def dealt(lines: Sequence[Line], count: int) -> list[list[Line]]:
    """So many groups of even size."""
    return [list(lines[place::count]) for place in range(count)]


def shuffled(lines: Sequence[Line], *drawn_by: object) -> list[Line]:
    """In an order that depends on nothing but the nouns and what it is drawn by."""
    return sorted(lines, key=lambda line: draw(*drawn_by, line.target_noun))


def draw(*drawn_by: object) -> str:
    """64 hexadecimal digits, evenly distributed."""
    return hashlib.sha256("\0".join(map(str, drawn_by)).encode()).hexdigest()
