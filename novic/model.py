"""Images in, nouns out: an embedder and a decoder bundle put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import torch

from novic.bundle import Bundle, BundleError, load_bundle
from novic.embedder import Embedder, EmbedderError, Pixels, Vectors
from novic.generate import Decoding, beam_search
from novic.packed import for_inference

BATCH = 64
"""Images embedded and decoded at once."""


@dataclass(frozen=True, slots=True)
class NounScore:
    """One candidate name of an image."""

    noun: str
    p: float
    """Probability that the decoder says exactly this noun for the image, 0 to 1 (plain reading in
    `novic.generate`): the candidates of one image sum to at most 1."""


class NounModel:
    """Names images by open-vocabulary decoding."""

    def __init__(self, embedder: Embedder, bundle: Bundle) -> None:
        """Put both together.

        Raises:
            BundleError: If the bundle was trained for another embedder.
        """
        if embedder.width != bundle.decoder.config.width:
            raise BundleError(
                f"the decoder reads {bundle.decoder.config.width} components of "
                f"'{bundle.embedder}', but '{embedder.spec}' gives {embedder.width}"
            )
        self.embedder = embedder
        self.bundle = bundle
        self._trie = bundle.trie()
        self._decoder = for_inference(bundle.decoder)

    def name(self, images: Sequence[Pixels], top: int = 5) -> list[list[NounScore]]:
        """Name images.

        Args:
            images: N images, RGB uint8 [H, W, 3], any sizes.
            top: Candidates per image, best first.

        Returns:
            For each image up to `top` candidates.
        """
        named = []
        for first in range(0, len(images), BATCH):
            vectors = self.embedder.embed_images(images[first : first + BATCH])
            named += self.decode(vectors, top)
        return named

    def decode(self, vectors: Vectors, top: int = 5) -> list[list[NounScore]]:
        """Name images by their vectors [N, F], float32."""
        decoding = Decoding(beams=max(10, top))
        device = self.bundle.decoder.token_table.weight.device
        found = beam_search(
            self._decoder, self._trie, torch.from_numpy(vectors).to(device), decoding
        )
        nouns = self.bundle.tokens.nouns
        return [
            [
                NounScore(nouns[noun], float(p))
                for noun, p in zip(row, scores, strict=True)
                if noun >= 0
            ][:top]
            for row, scores in zip(found.nouns.tolist(), found.scores.exp().tolist(), strict=True)
        ]


def starter_bundle_path() -> Path:
    """Where the decoder lies that Nomaly ships."""
    return Path(str(files("novic") / "data" / "starter"))


def build_embedder(spec: str, device: torch.device, precision: str = "auto") -> Embedder:
    """Build the embedder that a spec names.

    Args:
        spec: `starter`; `openclip:` and a hub id, a local folder or `ARCHITECTURE@FILE`;
            `transformers:` and a hub id or a local folder; `openai:` and a model's name or
            `NAME@FILE`.
        device: Where it runs.
        precision: `auto`, `fp16`, `bf16` or `fp32`; half precision on CUDA only. The starter has
            its own.

    Raises:
        ValueError: If the precision is unknown or not to be had on that device.
        EmbedderError: If no embedder has that name, or its weights or packages are missing.
    """
    kind, _, rest = spec.partition(":")
    match kind, bool(rest):
        case "starter", False:
            from novic.starter import StarterEmbedder

            return StarterEmbedder(device)
        case "openclip" | "openai", True:
            from novic.openclip import OpenClipEmbedder, openai_source, openclip_source

            source = openclip_source(rest) if kind == "openclip" else openai_source(rest)
            return OpenClipEmbedder(source, device, precision)
        case "transformers", True:
            from novic.transformers_clip import TransformersEmbedder

            return TransformersEmbedder(rest, device, precision)
    raise EmbedderError(
        f"unknown embedder '{spec}'; use starter, openclip:MODEL, transformers:MODEL or "
        "openai:MODEL (`nomaly embedder list` shows them)"
    )


def load_model(path: Path | None, device: torch.device, *, many_images: bool = False) -> NounModel:
    """Load a bundle and the embedder it names.

    Args:
        path: Folder of a bundle; None for the one that Nomaly ships.
        device: Where both run.
        many_images: Make ready for many images now, rather than in the middle of them.

    Raises:
        BundleError: If the bundle cannot be read.
        EmbedderError: If its embedder cannot be built here.
    """
    bundle = load_bundle(path or starter_bundle_path(), device)
    model = NounModel(build_embedder(bundle.embedder, device), bundle)
    if many_images:
        model.embedder.warm_up()
    return model
