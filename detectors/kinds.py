"""The detectors there are, in a line each, for help that needs no library."""

KINDS = {
    "padim": "A Gaussian of features per cell, for fixed cameras; default.",
    "diagonal": "As padim, channels independent: a tenth of the memory.",
    "lowrank": "As padim, a few axes per cell for a covariance.",
    "subspace": "Axes of DINOv2-S's features, anywhere; needs `make weights`.",
    "patchcore": "A bank of features, anywhere in the view: for parts.",
    "bank": "As patchcore: whitened, at most 1,000 vectors.",
    "reconstruction": "A masked autoencoder over the cells, trained for a minute.",
    "mog2": "The colours of every pixel, no network: the floor.",
    "anomalib": "anomalib:NAME, any of its image models: supersimplenet, ...",
}
"""What each is, by its kind."""
NICKNAMES = ("dinomaly", "efficientad", "supersimplenet")
"""Models of anomalib that are kinds by their own names, too."""
