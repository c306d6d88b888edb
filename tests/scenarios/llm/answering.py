"""A language model that gives the answers it was made with, and remembers what it was asked."""

from collections.abc import Callable, Mapping, Sequence

from scenarios.raters.local.wordings import LINES, LISTED, QUESTION, THING, Turn

_CLOSINGS = {
    LINES.name: "?\nA:",
    QUESTION.name: "?</user><assistant>",
    LISTED.name: ":",
    THING.name: "</user><assistant>",
}


class Answering:
    """An engine without a model.

    Args:
        answers: By name of the wording, the log-odds of each noun.
        how: How it says it is run.
    """

    name, sha256 = "answers.gguf", "ab" * 32

    def __init__(self, answers: Mapping[str, Mapping[str, float]], how: str = "by heart") -> None:
        self._answers = answers
        self.how = how
        self.asked: list[tuple[str, str]] = []
        """Wordings and nouns, in order."""

    def rendered(self, turns: Sequence[Turn], *, answering: bool) -> str:
        text = "".join(f"<{role}>{said}</{role}>" for role, said in turns)
        return text + ("<assistant>" if answering else "")

    def log_odds(
        self, prefix: str, endings: Sequence[str], taken: Callable[[int], None] | None = None
    ) -> list[float]:
        wording = _wording_of(prefix)
        nouns = [ending.removesuffix(_CLOSINGS[wording]).strip() for ending in endings]
        for noun in nouns:
            if f"{noun}?" in prefix or f"\n{noun}:" in prefix:
                raise AssertionError(f"{noun} is judged while the model is told of it")
        self.asked += [(wording, noun) for noun in nouns]
        if taken is not None:
            taken(10 * len(nouns))
        return [self._answers[wording][noun] for noun in nouns]

    def close(self) -> None:
        pass


def _wording_of(prefix: str) -> str:
    marks = {
        LISTED.name: "A user lists things.",
        THING.name: "You judge whether a camera",
        LINES.name: "Q: Would you",
    }
    return next((name for name, mark in marks.items() if mark in prefix), QUESTION.name)
