"""Proposes a new site's examples from its description, and has their author check them."""

from collections.abc import Callable, Sequence

from app.progress import Reporter
from novic.embedder import Vectors
from scenarios.base.build import ensure_base
from scenarios.dictionary import read_dictionary
from scenarios.paths import vectors_folder
from scenarios.proposing import Proposal, checked, propose
from scenarios.raters.vectors.nouns import noun_vectors, text_vectors
from scenarios.raters.vectors.shipped import shipped_vectors


def propose_examples(description: str, reporter: Reporter) -> Proposal:
    """Examples out of Nomaly's base dictionary, in seconds once that was made.

    Args:
        description: Of the site.
        reporter: Told what happens.

    Raises:
        DictionaryError: If the base dictionary cannot be made.
        EmbedderError: If the text model is missing.
        RatingError: If the vectors that come along are damaged or the cache cannot be written.
    """
    with reporter.stages() as told:
        dictionary = read_dictionary(ensure_base(told))
    folder, packed = vectors_folder(), shipped_vectors()

    def embed(texts: Sequence[str]) -> Vectors:
        return text_vectors(texts, folder, packed=packed, tell=reporter.say)

    vectors = noun_vectors(dictionary, folder, packed=packed, tell=reporter.say)
    return propose(description, dictionary, vectors, embed)


def check_examples(
    proposal: Proposal, say: Callable[[str], None], ask: Callable[[str], str]
) -> Proposal:
    """Show a proposal to its author until both lists are right.

    Args:
        proposal: The examples.
        say: Shows a line.
        ask: Shows a question and gives what was typed.
    """
    say(
        "Check both lists: they are taken for the truth. Type, with commas, the numbers that are "
        "wrong and what is missing; Enter takes a list as it is.\n"
    )
    seen = _checked("Regularly seen there:", proposal.seen, say, ask)
    never = _checked("Never seen there:", proposal.never, say, ask)
    return Proposal(tuple(seen), tuple(never))


def _checked(
    title: str, nouns: Sequence[str], say: Callable[[str], None], ask: Callable[[str], str]
) -> list[str]:
    kept = list(nouns)
    while True:
        say(f"{title} {', '.join(f'{n} {noun}' for n, noun in enumerate(kept, start=1))}")
        answer = ask("Wrong or missing")
        if not answer.strip():
            return kept
        kept = checked(kept, answer)
