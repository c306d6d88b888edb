"""What does packing the base dictionary's vectors cost, and how many bytes does it take?

All nouns of the base dictionary with the labelled ones, exact and packed to several numbers of
components: AUC of the prior on the presets' hand labels, with each preset's own examples and with
20 draws of 10 + 10 and 20 + 20, and how alike the order of all nouns is (Spearman). The first time
all texts are embedded: ten to twenty CPU-minutes.

    python -m benchmarks.packed_vectors [--components 256 384 512 768]
"""

import argparse
import zlib
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.prior_rating import PRESETS, description, labels
from novic.embedder import Vectors
from scenarios.base.build import ensure_base, with_additions
from scenarios.dictionary import ObjectDictionary, read_dictionary
from scenarios.paths import vectors_folder
from scenarios.raters.vectors.nouns import NounVectors, noun_vectors, text_vectors
from scenarios.raters.vectors.prior import DESCRIPTION_WEIGHT, Prior, fit_kinds
from scenarios.raters.vectors.shipped import PackedVectors, pack
from scenarios.ratings.scale import auc
from scenarios.site import LIBRARY, load_scenario, targets

DRAWS = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What does packing vectors cost?")
    parser.add_argument("--components", type=int, nargs="+", default=[256, 384, 512, 768])
    args = parser.parse_args()
    base = read_dictionary(ensure_base())
    named = [noun for preset in PRESETS for kind in labels(preset) for noun in kind]
    named += [noun for preset in PRESETS for noun in load_scenario(LIBRARY / preset).named]
    dictionary = with_additions(base, named)
    exact = noun_vectors(dictionary, vectors_folder())
    stacked = np.stack([exact.bare, exact.photo, exact.where, exact.people], axis=1)
    tensors = pack(stacked, max(args.components))
    table = Table(
        "", "MB", "zipped", *(f"{p} {k}" for p in PRESETS for k in ("own", "10", "20", "order"))
    )
    wanted = {preset: measured(preset, dictionary, exact) for preset in PRESETS}
    table.add_row("exact", "", "", *(cell for found in wanted.values() for cell in cells(*found)))
    for count in args.components:
        codes = np.ascontiguousarray(tensors["codes"][:, :count])
        packed = PackedVectors(
            dictionary.targets,
            np.zeros(len(codes), dtype=bool),
            codes,
            float(tensors["step"][0]),
            tensors["basis"][:count],
            tensors["mean"],
            {},
        ).vectors(range(len(codes)))
        near = NounVectors(dictionary.targets, *np.ascontiguousarray(packed.swapaxes(0, 1)))
        row = [str(count), f"{codes.nbytes / 1e6:.1f}", f"{len(zlib.compress(codes)) / 1e6:.1f}"]
        for preset in PRESETS:
            row += cells(*measured(preset, dictionary, near), beside=wanted[preset][1])
        table.add_row(*row)
    Console(width=140).print(table)


def measured(
    preset: str, dictionary: ObjectDictionary, vectors: NounVectors
) -> tuple[list[float], NDArray[np.float64]]:
    """AUC with a preset's own examples and with drawn ones, and its values of all nouns."""
    embed = partial(text_vectors, folder=vectors_folder())
    prior = Prior(vectors, description(preset), embed)
    site = load_scenario(LIBRARY / preset).place(dictionary)
    values = prior.scores(site.seen, site.never).nouns
    seen, never = (targets(kind, dictionary) for kind in labels(preset))
    own = auc([values[noun] for noun in seen], [values[noun] for noun in never])
    rows = [vectors.numbers[noun] for noun in (*seen, *never)]
    drawn = [drawn_auc(prior, rows, len(seen), count) for count in (10, 20)]
    return [own, *drawn], np.array(list(values.values()))


def drawn_auc(prior: Prior, rows: list[int], seen: int, count: int) -> float:
    """Mean AUC of the labelled nouns that a draw did not make examples."""
    views: list[Vectors] = [view[rows] for view in prior._views]
    kernel = np.mean([np.exp(-_squares(view)) for view in views], axis=0)
    near, found = prior._nearness[rows], []
    for draw in range(DRAWS):
        random = np.random.default_rng(draw)
        kinds = random.permutation(seen), seen + random.permutation(len(rows) - seen)
        examples = np.concatenate([kind[:count] for kind in kinds])
        signs = np.repeat([1.0, -1.0], count)
        weights, constant = fit_kinds(kernel[np.ix_(examples, examples)], signs)
        judged = kernel[:, examples] @ weights + constant
        values = judged + DESCRIPTION_WEIGHT * judged.std() * near
        found.append(auc(*(values[kind[count:]].tolist() for kind in kinds)))
    return float(np.mean(found))


def cells(
    aucs: list[float], values: NDArray[np.float64], beside: NDArray[np.float64] | None = None
) -> list[str]:
    """A preset's part of a row."""
    alike = "" if beside is None else f"{np.corrcoef(_ranks(values), _ranks(beside))[0, 1]:.4f}"
    return [*(f"{one:.4f}" for one in aucs), alike]


def _squares(view: Vectors) -> Vectors:
    norms = np.einsum("nf,nf->n", view, view)
    return np.maximum(norms[:, None] + norms - 2 * view @ view.T, 0)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.argsort(np.argsort(values))


if __name__ == "__main__":
    main()
