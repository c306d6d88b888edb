"""How one noun is put to a small language model: the wordings, and the texts made of them.

A model below three billion parameters cannot rate ten things at once, but it can say yes or no to
one (scenarios_spec §3.4, §4). Everything that is the same for all nouns stands before the noun, so
that it is read once; only the noun and the short closing after it cost anything. Which wording
works is a matter of model and site, hence several.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

_NOUN = "\ue000"
"""Stands for the noun while a conversation is laid out; a private character, no text has it."""

_DESCRIPTION = "{description}"
_EXAMPLES = "{examples}"

_KNOWS = "You know what is found at real places. Answer only yes or no.\nPLACE: {description}"


class Turn(NamedTuple):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


class Example(NamedTuple):
    """A thing of which the site's owner said whether it is seen there."""

    noun: str
    seen: bool


@dataclass(frozen=True, slots=True)
class Wording:
    """A way to ask. Texts of the site take the places of {description} and {examples}."""

    name: str
    system: str
    turns: tuple[Turn, ...]
    """What follows; the last one ends with the noun and the closing."""
    closing: str = ""
    """What stands between the noun and the answer, within the last turn."""
    example: str = ""
    """One answered example, with {noun} and {answer}; empty if none are shown."""
    is_open: bool = False
    """Whether the answer continues the last turn; otherwise it is a turn of its own."""

    @property
    def shows_examples(self) -> bool:
        """Whether the model is told what the site's owner said."""
        return bool(self.example)

    def conversation(self, description: str, examples: Sequence[Example]) -> list[Turn]:
        """The messages, with a mark where the noun goes.

        Args:
            description: Of the site.
            examples: To be shown, in this order; none for wordings without.
        """
        shown = "".join(
            self.example.replace("{answer}", "yes" if seen else "no").replace("{noun}", noun)
            for noun, seen in examples
        )
        system = self.system.replace(_DESCRIPTION, description)
        turns = [Turn(turn.role, turn.text.replace(_EXAMPLES, shown)) for turn in self.turns]
        return [Turn("system", system), *turns]


class Prompt(NamedTuple):
    """What a model reads: `prefix`, once for all nouns, then `before`, a noun and `after`."""

    prefix: str
    before: str
    after: str

    def ending(self, noun: str) -> str:
        """What is read for one noun."""
        return f"{self.before}{noun}{self.after}"


QUESTION = Wording(
    "question", _KNOWS, (Turn("user", f"Would you regularly find this here: {_NOUN}?"),), "?"
)
"""A chat turn with one question (A of scenarios_spec §3.4). The best without examples."""

LINES = Wording(
    "lines",
    _KNOWS,
    (Turn("user", f"{_EXAMPLES}Q: Would you regularly find this here: {_NOUN}?\nA:"),),
    "?\nA:",
    "Q: Would you regularly find this here: {noun}?\nA: {answer}\n",
    is_open=True,
)
"""Questions and answers, a line each, in one turn. With examples the safest on rare words."""

LISTED = Wording(
    "list",
    "You know what is found at real places. A user lists things. For each one, write yes if it "
    "would regularly be seen there, no if not.\nPLACE: {description}",
    (
        Turn("user", "Would it regularly be seen there?"),
        Turn("assistant", f"{_EXAMPLES}{_NOUN}:"),
    ),
    ":",
    "{noun}: {answer}\n",
    is_open=True,
)
"""A list that the model goes on with. The cheapest."""

THING = Wording(
    "thing",
    "Site: {description}\nYou judge whether a camera at this site would see a given kind of thing "
    "in an ordinary month. Reply with one word, yes or no.",
    (Turn("user", f"Thing: {_NOUN}"),),
)
"""Another chat turn (B of scenarios_spec §3.4): good at some sites, poor at others."""

WORDINGS = (LINES, QUESTION, LISTED, THING)
"""All of them, the one that is used if none is clearly better first."""


def cut(rendered: str, wording: Wording) -> Prompt:
    """Split a conversation, laid out by the model's chat template, at the noun.

    A space before the noun goes with it: tokenizers join a word with the space before it.

    Args:
        rendered: The whole text, the beginning of the model's answer included if it is a turn of
            its own.
        wording: What was laid out.
    """
    before, after = rendered.rsplit(_NOUN, 1)
    prefix = before.rstrip(" ")
    return Prompt(prefix, before[len(prefix) :], wording.closing if wording.is_open else after)


def in_mixed_order(seen: Sequence[str], never: Sequence[str]) -> list[Example]:
    """Examples in an order that has no pattern a model could go on with; always the same."""
    examples = [*(Example(noun, True) for noun in seen), *(Example(noun, False) for noun in never)]
    random.Random(0).shuffle(examples)  # noqa: S311 - no secret
    return examples
