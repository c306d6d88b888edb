"""What a picture shows, given what the classifier answered: the posterior that is distilled.

Answers are weights w over the 1,000 classes. For a noun n with meanings s,

    log P(n | w) = log (w . a_n) - GENERAL log |a_n| + PRIOR ln(10) Zipf(n) + COSINE cos(e, t_n) + c

with a_n the answer expected for pictures of n (P(c | s) of `training.taxonomy`, mixed over the
noun's meanings by their share of use), e the ConSE vector of w, and t_n the noun's text vector.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from novic.embedder import Vectors
from training.nouns import Noun, class_synsets
from training.taxonomy import distances, simulated_answers
from training.wordnet import WordNet

GENERAL = 0.3
"""How far a flat expected answer is made up for: 0 favours nouns that mean one class, 1 would let
"bird" win over every bird."""
PRIOR = 0.565
"""Exponent of a noun's frequency: pictures show what is talked about, but less unevenly."""
MOST_ZIPF = 4.4
"""Frequencies count up to here; beyond, words are frequent for other reasons ("star", "drug")."""
COSINE = 9.0

DRAWN_POWER = 0.7
"""Nouns are drawn for training with their prior to this power, so that rare ones are seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """Tables of N nouns and K classes, all on one device."""

    answers: Tensor
    """a_n, rows that sum to 1 [N, K]."""
    log_prior: Tensor
    """[N]."""
    class_vectors: Tensor
    """Text vectors of the classes [K, F]."""
    noun_vectors: Tensor
    """Text vectors of the nouns [N, F]."""

    def to(self, device: torch.device) -> "Teacher":
        """The same teacher on another device."""
        return Teacher(
            self.answers.to(device),
            self.log_prior.to(device),
            self.class_vectors.to(device),
            self.noun_vectors.to(device),
        )

    def conse(self, weights: Tensor) -> Tensor:
        """Unit vectors [B, F] of answers [B, K]."""
        return functional.normalize((weights @ self.class_vectors).float(), dim=1)

    def posterior(self, weights: Tensor) -> Tensor:
        """P(noun | answer), rows that sum to 1 [B, N].

        Args:
            weights: Answers, rows that sum to 1 [B, K].
        """
        size = self.answers.norm(dim=1)
        match = (weights @ self.answers.T).float().clamp_min(1e-12).log() - GENERAL * size.log()
        nearness = COSINE * (self.conse(weights) @ self.noun_vectors.T).float()
        return torch.softmax(match + nearness + self.log_prior, dim=1)

    def draw_nouns(self, count: int, generator: Generator) -> Tensor:
        """Numbers of nouns drawn by their prior to the power DRAWN_POWER [count]."""
        chances = torch.softmax(DRAWN_POWER * self.log_prior, dim=0)
        return torch.multinomial(chances, count, replacement=True, generator=generator)

    def draw_answers(self, nouns: Tensor, generator: Generator) -> Tensor:
        """Answers that the classifier might give for pictures of nouns.

        A sure answer is one class, an unsure one several classes expected for the noun with random
        weights. Small, soft or badly cut crops add classes that have nothing to do with it.

        Args:
            nouns: Noun numbers [B].
            generator: Source of chance.

        Returns:
            Rows that sum to 1 [B, K].
        """
        count = len(nouns)
        rows = self.answers[nouns]
        drawn = torch.multinomial(rows, DRAWN_CLASSES, replacement=True, generator=generator)
        weights = _uneven(count, DRAWN_CLASSES, generator, nouns.device)
        sure = _uniform(count, generator, nouns.device) < SURE_SHARE
        weights[:, 1:] = torch.where(sure, 0.0, weights[:, 1:])
        strays = torch.randint(
            self.answers.shape[1],
            (count, STRAY_CLASSES),
            generator=generator,
            device=nouns.device,
        )
        stray = _uneven(count, STRAY_CLASSES, generator, nouns.device)
        part = MOST_STRAY * _uniform(count, generator, nouns.device) ** 2
        # Something of every row goes astray: no real answer is free of it.
        weights = weights / weights.sum(dim=1, keepdim=True) * (1 - part)
        stray = stray / stray.sum(dim=1, keepdim=True) * part
        found = torch.zeros_like(rows)
        return found.scatter_add_(1, drawn, weights).scatter_add_(1, strays, stray)


DRAWN_CLASSES = 8
STRAY_CLASSES = 12
SURE_SHARE = 0.2
"""Share of the answers that are one class."""
MOST_STRAY = 0.7
"""Largest share of an answer that falls on classes drawn at random."""


def build_teacher(
    wordnet: WordNet, nouns: Sequence[Noun], noun_vectors: Vectors, class_vectors: Vectors
) -> Teacher:
    """Build the teacher of a dictionary, on the CPU.

    Args:
        wordnet: Where the nouns' meanings come from.
        nouns: The dictionary.
        noun_vectors: Text vectors of the bare nouns [N, F].
        class_vectors: Text vectors of the ImageNet classes [1000, F].
    """
    classes = class_synsets()
    meanings = sorted({offset for noun in nouns for offset, _ in noun.senses} | set(classes))
    ancestors = {offset: wordnet.ancestors(offset) for offset in meanings}
    expected = torch.from_numpy(simulated_answers(distances(ancestors, meanings, classes)))
    place = {offset: number for number, offset in enumerate(meanings)}
    answers = torch.stack(
        [
            sum((prior * expected[place[offset]] for offset, prior in noun.senses), torch.zeros(()))
            / sum(prior for _, prior in noun.senses)
            for noun in nouns
        ]
    )
    zipf = torch.tensor([noun.zipf for noun in nouns]).clamp(max=MOST_ZIPF)
    log_prior = PRIOR * torch.log(torch.tensor(10.0)) * zipf
    return Teacher(
        answers, log_prior, torch.from_numpy(class_vectors), torch.from_numpy(noun_vectors)
    )


def _uniform(count: int, generator: Generator, device: torch.device) -> Tensor:
    """Numbers from 0 to 1 [count, 1]."""
    return torch.rand(count, 1, generator=generator, device=device)


def _uneven(count: int, width: int, generator: Generator, device: torch.device) -> Tensor:
    """Positive weights, in some rows nearly even and in others ruled by one entry [count, width].

    Powers from 0.5 to 4 of exponential numbers.
    """
    chance = torch.rand(count, width, generator=generator, device=device).clamp(1e-6, 1 - 1e-6)
    power = 0.5 + 3.5 * _uniform(count, generator, device)
    return (-chance.log()) ** power
