"""Makes the file of the base dictionary's vectors that comes with Nomaly.

    python -m scenarios.raters.vectors.packing [--components K] [--out FILE]

Every text of the dictionary is embedded, into the cache that all commands share: ten to twenty
minutes of a core. To be made anew whenever the list of nouns, the texts or the text model change; a
test says so.
"""

import argparse
from pathlib import Path

import numpy as np

from scenarios.base.build import ensure_base
from scenarios.dictionary import read_dictionary
from scenarios.paths import vectors_folder
from scenarios.raters.vectors.axes import PLACES, TRAITS
from scenarios.raters.vectors.nouns import noun_vectors, text_vectors
from scenarios.raters.vectors.shipped import FILE, pack, write_packed

COMPONENTS = 384
"""Measured against more and fewer in `benchmarks/README.md`."""


def main() -> None:
    """Make the file."""
    parser = argparse.ArgumentParser(description="Pack the vectors of the base dictionary.")
    parser.add_argument("--components", type=int, default=COMPONENTS)
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    dictionary = read_dictionary(ensure_base())
    exact = noun_vectors(dictionary, vectors_folder())
    stacked = np.stack([exact.bare, exact.photo, exact.where, exact.people], axis=1)
    axes = [*PLACES, *TRAITS]
    tensors = {
        **pack(stacked, args.components),
        "plural": np.array([not entry.singulars for entry in dictionary.entries]),
        "axes": text_vectors(axes, vectors_folder()).astype(np.float16),
    }
    write_packed(args.out, dictionary.targets, axes, tensors)


if __name__ == "__main__":
    main()
