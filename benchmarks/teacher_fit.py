"""Fits the seven weights of `training.distilling.teacher` to photographs, and cross-validates them.

The weights maximise the likelihood of the true nouns of the cut-outs of `benchmarks.naming`, on
grey and on a photograph. A picture in which the classifier saw nothing of the noun costs no more
than FLOOR, and a quadratic penalty holds the weights near those used before (START). For the
cross-validated figures the true nouns are dealt into FOLDS parts, and each part is named with
weights fitted to the others: no noun is tested that was fitted. Ratios are to the classifier's own
best classes, as in `benchmarks.naming`.

Which terms there are was also chosen by cross-validation on these pictures, among some thirty; the
figures of `benchmarks.naming_held_out` are free of that.

    python -m benchmarks.teacher_fit [--json]
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.naming import backgrounds, composite, find_stamps, middle
from novic.embedders.starter import TOP_CLASSES, StarterEmbedder, load_class_vectors
from novic.vocabulary import canonical
from scenarios.wordnet import read_wordnet
from training.distilling.teacher import COSINE, MATCH, PLAIN, TRAIT_WEIGHTS, build_teacher
from training.texts.nouns import choose_nouns, class_synsets

TERMS = ("match", "plain", "cosine", "special", "frequency", "compounds", "letters")
START = (1.0, 0.0, 9.0, -0.3, 0.565, 0.0, 0.0)
FLOOR = 0.006
"""Added to 0.7 of a noun's probability before the logarithm."""
PENALTY = 2.0
"""For a weight that is off START by as much as moves the scores by their spread."""
FOLDS = 8
ROUNDS = 2
"""How often the nouns are dealt anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """B pictures, what their answers say for each of N nouns, and what they show."""

    evidence: tuple[Tensor, ...]
    """Three terms that depend on the picture, each [B, N]."""
    traits: Tensor
    """Four that do not [N, 4]."""
    truth: Tensor
    """Noun numbers [B]."""
    argmax: tuple[float, float]
    """Top-1 and top-5 of the classifier's own classes."""

    def scores(self, weights: Tensor, rows: Tensor) -> Tensor:
        """Unnormalised logarithms of the posterior [len(rows), N]."""
        seen = sum(w * term[rows] for w, term in zip(weights, self.evidence, strict=False))
        return seen + self.traits @ weights[len(self.evidence) :]


def read_pictures() -> Pictures:
    """The cut-outs through the classifier."""
    wordnet, embedder = read_wordnet(), StarterEmbedder(batch_size=64)
    nouns = choose_nouns(wordnet)
    numbers = {noun.text: number for number, noun in enumerate(nouns)}
    stamps, photos = find_stamps(frozenset(numbers)), backgrounds()
    images = [composite(stamp.path, None) for stamp in stamps]
    images += [composite(s.path, photos[i % len(photos)]) for i, s in enumerate(stamps)]
    truth = [stamp.noun for stamp in stamps] * 2
    vectors = embedder.embed_texts(list(numbers))
    teacher = build_teacher(wordnet, nouns, vectors, load_class_vectors())
    answers = best_classes(embedder.class_probabilities(images))
    plain = embedder.class_probabilities([middle(image) for image in images])
    names = [set(map(canonical, wordnet.synsets[c].lemmas)) for c in class_synsets()]
    ranked = np.argsort(-plain, axis=1)
    right = [[noun in names[c] for c in row[:5]] for noun, row in zip(truth, ranked, strict=True)]
    return Pictures(
        teacher.evidence(answers),
        teacher.traits,
        torch.tensor([numbers[noun] for noun in truth]),
        (float(np.mean([row[0] for row in right])), float(np.mean([any(row) for row in right]))),
    )


def best_classes(probabilities: NDArray[np.float32]) -> Tensor:
    """The classes that take part in an image's vector, with weights that sum to 1 [B, K]."""
    whole = torch.from_numpy(probabilities)
    weights, classes = whole.topk(TOP_CLASSES, dim=1)
    kept = torch.zeros_like(whole).scatter_(1, classes, weights)
    return kept / kept.sum(dim=1, keepdim=True)


def fit(pictures: Pictures, rows: Tensor) -> Tensor:
    """Weights [7] that make the true nouns of some pictures likely."""
    spread = torch.tensor(
        [float(term.std(dim=1).mean()) for term in pictures.evidence]
        + pictures.traits.std(dim=0).tolist()
    )
    start, moved = torch.tensor(START), torch.zeros(len(START), requires_grad=True)
    optimiser = torch.optim.LBFGS([moved], max_iter=40, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        scores = pictures.scores(start + moved / spread, rows)
        chance = torch.softmax(scores, dim=1).gather(1, pictures.truth[rows, None])
        cost = -torch.log(0.7 * chance + FLOOR).mean()
        cost = cost + PENALTY * moved.square().sum() / len(rows)
        cost.backward()
        return cost

    optimiser.step(loss)
    return (start + moved / spread).detach()


@torch.no_grad()
def hits(pictures: Pictures, weights: Tensor, rows: Tensor) -> Tensor:
    """Whether the true noun is the best one, and among the best five [len(rows), 2]."""
    best = pictures.scores(weights, rows).topk(5, dim=1).indices
    right = best == pictures.truth[rows, None]
    return torch.stack([right[:, 0], right.any(dim=1)], dim=1).double()


def cross_validate(pictures: Pictures) -> Tensor:
    """Hits of pictures named with weights fitted to other nouns, means over the rounds [B, 2]."""
    found = torch.zeros(len(pictures.truth), 2, dtype=torch.float64)
    nouns, noun_of = pictures.truth.unique(return_inverse=True)
    for seed in range(ROUNDS):
        dealt = torch.randperm(len(nouns), generator=torch.Generator().manual_seed(seed))
        fold_of = (dealt % FOLDS)[noun_of]
        for fold in range(FOLDS):
            tested, fitted = (fold_of == fold).nonzero()[:, 0], (fold_of != fold).nonzero()[:, 0]
            found[tested] += hits(pictures, fit(pictures, fitted), tested)
    return found / ROUNDS


def ratios(pictures: Pictures, found: Sequence[float]) -> dict[str, float]:
    """Top-1 and top-5 over the classifier's own."""
    return {
        f"top{top}": round(share / own, 3)
        for top, share, own in zip((1, 5), found, pictures.argmax, strict=True)
    }


def measure() -> dict:
    """Fit, cross-validate, and score the weights in use."""
    pictures = read_pictures()
    every = torch.arange(len(pictures.truth))
    fitted = fit(pictures, every)
    used = torch.tensor([MATCH, PLAIN, COSINE, *TRAIT_WEIGHTS])

    def scored(weights: Tensor) -> dict[str, float]:
        return ratios(pictures, hits(pictures, weights, every).mean(dim=0).tolist())

    return {
        "pictures": len(every),
        "fitted_weights": {
            name: round(w, 3) for name, w in zip(TERMS, fitted.tolist(), strict=True)
        },
        "used_weights": {name: round(w, 3) for name, w in zip(TERMS, used.tolist(), strict=True)},
        "ratio": {
            "before": scored(torch.tensor(START)),
            "in use": scored(used),
            "fitted": scored(fitted),
            "cross-validated": ratios(pictures, cross_validate(pictures).mean(dim=0).tolist()),
        },
    }


def show(result: dict, console: Console) -> None:
    """Print the tables."""
    table = Table(title=f"teacher on {result['pictures']} pictures, over the classifier's argmax")
    for title in ("weights", "top-1", "top-5"):
        table.add_column(title)
    for name, found in result["ratio"].items():
        table.add_row(name, f"{found['top1']:.3f}", f"{found['top5']:.3f}")
    console.print(table)
    for name in TERMS:
        used, fitted = result["used_weights"][name], result["fitted_weights"][name]
        console.print(f"{name:10} in use {used:6.3f}, fitted {fitted:6.3f}")


def main() -> None:
    """Measure, print tables, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print only the JSON object")
    options = parser.parse_args()
    result = measure()
    if not options.json:
        show(result, Console())
    print(json.dumps(result))


if __name__ == "__main__":
    main()
