"""CLIP-class embedders through open_clip; the only module that imports it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from PIL import Image
from torch.nn import functional

from novic.embedder import EmbedderError, Pixels, Vectors

BATCH = 64
"""Images or texts run at once."""


class OpenClipEmbedder:
    """An `Embedder` on any model that open_clip can build, with its own transforms."""

    def __init__(self, name: str, device: torch.device) -> None:
        """Load a model.

        Args:
            name: One of
                `org/repo`, a hub id (downloaded once, then read from the hub's cache);
                a local folder that holds `open_clip_config.json` and the weights;
                `ARCHITECTURE@FILE`, one of open_clip's architectures and a local weights file.
            device: Where it runs; float16 autocast on CUDA.

        Raises:
            EmbedderError: If the model, its weights or its tokenizer cannot be had.
        """
        self.spec = f"openclip:{name}"
        self._device = device
        model_name, weights = _source(name)
        try:
            loaded: Any = open_clip.create_model_from_pretrained(
                model_name, pretrained=weights, device=device
            )
            self._tokenize = open_clip.get_tokenizer(model_name)
        except Exception as error:
            raise EmbedderError(
                f"embedder '{self.spec}' cannot be loaded: {error}. Give a hub id, a folder with "
                "open_clip_config.json and weights, or ARCHITECTURE@FILE"
            ) from error
        model, self._transform = loaded
        self._model = model.eval()
        self.width = self._embed_tokens(self._tokenize(["a"])).shape[1]

    def preprocessing(self) -> dict[str, str]:
        """The image transform in words, for a bundle's card."""
        return {"image": str(self._transform)}

    def warm_up(self) -> None:
        """Nothing to prepare: the model is ready once it is loaded."""

    def embed_images(self, images: Sequence[Pixels]) -> Vectors:
        """Embed images [H, W, 3] of any sizes; float32 unit vectors [N, F]."""
        rows = [np.empty((0, self.width), dtype=np.float32)]
        for first in range(0, len(images), BATCH):
            batch = [
                torch.as_tensor(self._transform(Image.fromarray(image)))
                for image in images[first : first + BATCH]
            ]
            with torch.inference_mode(), self._autocast():
                features = self._model.encode_image(torch.stack(batch).to(self._device))
            rows.append(_unit(features))
        return np.concatenate(rows)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; float32 unit vectors [N, F]."""
        rows = [np.empty((0, self.width), dtype=np.float32)]
        for first in range(0, len(texts), BATCH):
            rows.append(self._embed_tokens(self._tokenize(list(texts[first : first + BATCH]))))
        return np.concatenate(rows)

    def _embed_tokens(self, tokens: torch.Tensor) -> Vectors:
        with torch.inference_mode(), self._autocast():
            return _unit(self._model.encode_text(tokens.to(self._device)))

    def _autocast(self) -> AbstractContextManager:
        return torch.autocast("cuda") if self._device.type == "cuda" else nullcontext()


def _source(name: str) -> tuple[str, str | None]:
    """open_clip's model name and weights file for a spec's name.

    Raises:
        EmbedderError: If a named file is not there.
    """
    architecture, at, file = name.partition("@")
    if at:
        if not Path(file).is_file():
            raise EmbedderError(f"embedder 'openclip:{name}': there is no weights file {file}")
        return architecture, file
    if Path(name).is_dir():
        return f"local-dir:{name}", None
    if name.startswith((".", "/", "~")):
        raise EmbedderError(f"embedder 'openclip:{name}': there is no folder {name}")
    return f"hf-hub:{name}", None


def _unit(features: torch.Tensor) -> Vectors:
    return functional.normalize(features.float(), dim=-1).cpu().numpy()
