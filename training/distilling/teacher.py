"""What a picture shows, given what the classifier answered: the posterior that is distilled.

Answers are weights w over the 1,000 classes. For a noun n,

    log P(n | w) = MATCH log (w . a_n) + SPECIAL log |a_n| + PLAIN w(n) + COSINE cos(e, t_n)
                   + FREQUENCY ln(10) Zipf(n) + COMPOUNDS ln(1 + C(n)) + LETTERS L(n) + c

with a_n the answer expected for pictures of n (P(c | s) of `training.distilling.taxonomy`, mixed
over the noun's meanings by their share of use), w(n) the weight of the classes whose plain English
name is n, e the ConSE vector of w, t_n the noun's text vector, C(n) the number of WordNet's
phrases that hold the word n and L(n) its letters.

The last three say what people call things. Basic words ("tree", "cat", "knife") make many compounds
("apple tree", "house cat"), and at equal frequency the longer word is the less ambiguous one: part
of what is counted for a short word meant something else. WordNet's first name of a class is often
not the plain one ("hair slide", "ashcan"), so those come from the list that CLIP is tested with.

The seven weights were fitted to photographs by `benchmarks/teacher_fit.py`, which also tells how
much better they do on nouns that they were not fitted to.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from novic.embedder import Vectors
from novic.embedders.openclip import imagenet_names
from novic.vocabulary import canonical
from scenarios.wordnet import WordNet
from training.distilling.taxonomy import distances, simulated_answers
from training.evaluation.class_names import clip_class_name
from training.texts.nouns import Noun, class_synsets

MATCH = 1.34
SPECIAL = 0.55
"""Above 0, nouns that mean one class gain on those that spread over many; what is general has many
compounds and would win too often."""
PLAIN = 1.73
COSINE = 6.1
FREQUENCY = 0.455
"""Exponent of a noun's frequency: pictures show what is talked about, but less unevenly."""
MOST_ZIPF = 4.4
"""Frequencies count up to here; beyond, words are frequent for other reasons ("star", "drug")."""
COMPOUNDS = 1.04
LETTERS = 0.133
TRAIT_WEIGHTS = (SPECIAL, FREQUENCY, COMPOUNDS, LETTERS)

DRAWN_FREQUENCY = 0.4
"""Nouns are drawn for training with their frequency to this power, so that rare ones are seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """Tables of N nouns and K classes, all on one device."""

    answers: Tensor
    """a_n, rows that sum to 1 [N, K]."""
    traits: Tensor
    """What does not depend on the picture, in the order of TRAIT_WEIGHTS [N, 4]."""
    log_drawn: Tensor
    """Logarithms of the chances of being drawn for training, up to a constant [N]."""
    plain: Tensor
    """Pairs of a class and the noun that is its plain name [P, 2]."""
    class_vectors: Tensor
    """Text vectors of the classes [K, F]."""
    noun_vectors: Tensor
    """Text vectors of the nouns [N, F]."""

    def to(self, device: torch.device) -> "Teacher":
        """The same teacher on another device."""
        return Teacher(
            self.answers.to(device),
            self.traits.to(device),
            self.log_drawn.to(device),
            self.plain.to(device),
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
        match, plain, nearness = self.evidence(weights)
        prior = self.traits @ self.traits.new_tensor(TRAIT_WEIGHTS)
        return torch.softmax(MATCH * match + PLAIN * plain + COSINE * nearness + prior, dim=1)

    def evidence(self, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What an answer says for each noun: log (w . a_n), w(n) and cos(e, t_n), each [B, N]."""
        match = (weights @ self.answers.T).float().clamp_min(1e-12).log()
        classes, nouns = self.plain.unbind(dim=1)
        plain = torch.zeros_like(match).index_add_(1, nouns, weights[:, classes].float())
        nearness = (self.conse(weights) @ self.noun_vectors.T).float()
        return match, plain, nearness

    def draw_nouns(self, count: int, generator: Generator) -> Tensor:
        """Numbers of nouns drawn by their frequency to the power DRAWN_FREQUENCY [count]."""
        chances = torch.softmax(self.log_drawn, dim=0)
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


DRAWN_CLASSES = 40
STRAY_CLASSES = 60
"""With these, simulated answers are as flat as real ones: half of them spread over fewer than 8.5
classes (exp of the entropy), one in ten over more than 26; on 534 pictures 8.9 and 28."""
SURE_SHARE = 0.1
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
    return teacher_of(wordnet, nouns, expected_answers(wordnet, nouns), noun_vectors, class_vectors)


def expected_answers(wordnet: WordNet, nouns: Sequence[Noun]) -> Tensor:
    """What the classifier answers for pictures of nouns: rows that sum to 1 [N, K].

    Args:
        wordnet: Where the nouns' meanings come from.
        nouns: Each with a meaning at least.
    """
    classes = class_synsets()
    meanings = sorted({offset for noun in nouns for offset, _ in noun.senses} | set(classes))
    ancestors = {offset: wordnet.ancestors(offset) for offset in meanings}
    expected = torch.from_numpy(simulated_answers(distances(ancestors, meanings, classes)))
    place = {offset: number for number, offset in enumerate(meanings)}
    return torch.stack(
        [
            sum((prior * expected[place[offset]] for offset, prior in noun.senses), torch.zeros(()))
            / sum(prior for _, prior in noun.senses)
            for noun in nouns
        ]
    )


def teacher_of(
    wordnet: WordNet,
    nouns: Sequence[Noun],
    answers: Tensor,
    noun_vectors: Vectors,
    class_vectors: Vectors,
) -> Teacher:
    """Put a teacher together from the answers expected for its nouns [N, K]; see `build_teacher`.

    Args:
        wordnet: Says which words make compounds.
        nouns: The dictionary.
        answers: Rows that sum to 1 [N, K].
        noun_vectors: Text vectors of the bare nouns [N, F].
        class_vectors: Text vectors of the ImageNet classes [1000, F].
    """
    compounds, names = count_compounds(wordnet), [noun.text for noun in nouns]
    zipf = torch.tensor([noun.zipf for noun in nouns]).clamp(max=MOST_ZIPF)
    log_frequency = zipf * math.log(10)
    traits = torch.stack(
        [
            answers.norm(dim=1).log(),
            log_frequency,
            torch.tensor([math.log1p(compounds[name]) for name in names]),
            torch.tensor([float(len(name)) for name in names]),
        ],
        dim=1,
    )
    return Teacher(
        answers,
        traits,
        DRAWN_FREQUENCY * log_frequency,
        plain_names(names),
        torch.from_numpy(class_vectors),
        torch.from_numpy(noun_vectors),
    )


def count_compounds(wordnet: WordNet) -> Counter[str]:
    """In how many of WordNet's phrases each word stands: "tree" in "apple tree" and "tree frog"."""
    phrases = (set(canonical(lemma).split()) for lemma in wordnet.senses)
    return Counter(word for words in phrases if len(words) > 1 for word in words)


def plain_names(nouns: Sequence[str]) -> Tensor:
    """Pairs of a class and the noun that is its plain name, where the dictionary has it [P, 2].

    A plural that the dictionary lacks ("pajamas") stands for its singular.
    """
    numbers = {noun: number for number, noun in enumerate(nouns)}
    pairs = []
    for label, name in enumerate(map(canonical, map(clip_class_name, imagenet_names()))):
        noun = name if name in numbers else name.removesuffix("s")
        if noun in numbers:
            pairs.append((label, numbers[noun]))
    return torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)


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
