"""CLIP-class embedders through transformers: CLIP, SigLIP, SigLIP 2, ALIGN and their like.

Any model with `get_text_features` and `get_image_features` will do. Its own files say how it reads
texts and images: `tokenizer_config.json`, `preprocessor_config.json`, `config.json`.
"""

import hashlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from novic.embedder import EmbedderError, Pixels, Vectors
from novic.embedders.hub import check_vocabulary, has_tokenizer, model_folder, reason, special_ids
from novic.embedders.towers import (
    Inputs,
    Runner,
    as_picture,
    autocast_dtype,
    prepare_images,
    stacked,
)
from novic.extras import needing

CONFIG = "config.json"
WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")


class TransformersEmbedder:
    """An `Embedder` on a two-tower model of transformers.

    Args:
        name: A hub id (downloaded once, then read from the hub's cache) or a local folder with
            `config.json`, weights, tokenizer and `preprocessor_config.json`.
        device: Where it runs.
        precision: `auto` (float16 autocast on CUDA), `fp16`, `bf16` or `fp32`.

    Raises:
        UsageError: If the precision is unknown or not to be had on that device.
        EmbedderError: If the model, its weights, its tokenizer or its image transform cannot be
            read, or it is no model of images and texts.
    """

    def __init__(self, name: str, device: torch.device, precision: str = "auto") -> None:
        self.spec = f"transformers:{name}"
        self._name = name
        self._runner = Runner(self.spec, device, autocast_dtype(precision, device))
        self._folder = model_folder(self.spec, name, CONFIG, WEIGHTS)
        self._model, self._tokenizer, self._images = _load(self.spec, self._folder)
        self._model.to(device)
        self._context = _context(self.spec, self._model.config, self._tokenizer)
        self.token_ids = special_ids(self._tokenizer)
        self.end_id = self.token_ids.end
        expected = self._model.config.get_text_config().vocab_size
        check_vocabulary(self.spec, self.token_ids.vocabulary, expected)
        self.width = self._texts(["a"])[0].shape[1]

    def preprocessing(self) -> dict[str, str]:
        """The image transform in words, for a bundle's card."""
        return {"image": self._images.to_json_string()}

    def warm_up(self) -> None:
        """Nothing to prepare: the model is ready once it is loaded."""

    def embed_images(self, images: Sequence[Pixels]) -> Vectors:
        """Embed images [H, W, 3] of any sizes; float32 unit vectors [N, F]."""
        rows = self._runner.run(images, "images", self._image_inputs, self._encode_images)
        return stacked(rows, self.width)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; float32 unit vectors [N, F]."""
        return stacked(self._texts(texts), self.width)

    def clean_text(self, text: str) -> str:
        """A text as its tokenizer reads it: texts that are cleaned alike have the same vector."""
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        return backend.normalizer.normalize_str(text) if backend and backend.normalizer else text

    def encode_noun(self, noun: str) -> list[int]:
        """A noun's tokens as the text model reads them, without those of start and end."""
        return list(self._tokenizer(noun, add_special_tokens=False).input_ids)

    def identity(self) -> dict[str, Any]:
        """What its vectors depend on; the weights' SHA-256 for a folder of the user's own."""
        model_id = self._name
        if Path(model_id).expanduser().is_dir():
            model_id = f"{self._folder.name}@{_weights_sha256(self._folder)}"
        return {
            "model_id": model_id,
            "model_config": str(self._model.config),
            "class": "TransformersEmbedder",
            "device_type": self._runner.device.type,
            "amp_dtype": str(self._runner.dtype),
        }

    def _texts(self, texts: Sequence[str]) -> list[Vectors]:
        return self._runner.run(texts, "texts", self._text_inputs, self._encode_texts)

    def _encode_images(self, inputs: Inputs) -> Tensor:
        return _features(self._model.get_image_features(**inputs))

    def _encode_texts(self, inputs: Inputs) -> Tensor:
        return _features(self._model.get_text_features(**inputs))

    def _text_inputs(self, texts: Sequence[str]) -> Inputs:
        # Padded to the full context: SigLIP was trained that way and looks at the last place.
        inputs = dict(
            self._tokenizer(
                list(texts),
                padding="max_length",
                truncation=True,
                max_length=self._context,
                return_tensors="pt",
            )
        )
        if self._model.config.model_type.startswith("siglip"):
            # Nor did it hide the padding in training; some of its tokenizers would.
            inputs.pop("attention_mask", None)
        return inputs

    def _image_inputs(self, images: Sequence[Pixels]) -> Inputs:
        return {"pixel_values": prepare_images(images, self._image_input)}

    def _image_input(self, image: Pixels) -> Tensor:
        crops = bool(getattr(self._images, "do_center_crop", False))
        picture = as_picture(image, middle_square=crops)
        return self._images(images=picture, return_tensors="pt")["pixel_values"][0]


def _load(spec: str, folder: Path) -> tuple[Any, Any, Any]:
    """Model in eval mode on the CPU, tokenizer and image transform.

    Raises:
        EmbedderError: If one of them is missing, damaged, or no model of images and texts.
    """
    with needing(f"embedder '{spec}'"):
        transformers = importlib.import_module("transformers")
    transformers.utils.logging.disable_progress_bar()
    if not has_tokenizer(folder):
        raise EmbedderError(
            f"embedder '{spec}': {folder} holds no tokenizer; download the whole model"
        )
    read = ""
    try:
        read = "its tokenizer"
        # Programs that come with a model are never run, nor is anyone asked whether they may.
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        read = "its image transform (preprocessor_config.json)"
        images = transformers.AutoImageProcessor.from_pretrained(folder, trust_remote_code=False)
        read = "the model"
        model = transformers.AutoModel.from_pretrained(
            folder, dtype=torch.float32, trust_remote_code=False
        )
    except Exception as error:
        raise EmbedderError(
            f"embedder '{spec}': {read} cannot be read from {folder} ({reason(error)}); download "
            "its files again"
        ) from error
    if not hasattr(model, "get_text_features") or not hasattr(model, "get_image_features"):
        raise EmbedderError(
            f"embedder '{spec}': {type(model).__name__} does not embed both images and texts; "
            "give a model like CLIP or SigLIP"
        )
    return model.eval(), tokenizer, images


def _features(output: Any) -> Tensor:  # noqa: ANN401
    """Features [B, F] of a tower; newer versions of transformers wrap them."""
    return output if isinstance(output, Tensor) else output.pooler_output


def _context(spec: str, config: Any, tokenizer: Any) -> int:  # noqa: ANN401
    """Tokens that a text is cut and padded to: as many as the text model has places for."""
    places = getattr(config.get_text_config(), "max_position_embeddings", None)
    length = min(places or tokenizer.model_max_length, tokenizer.model_max_length)
    if not 1 < length < 100_000:
        raise EmbedderError(f"embedder '{spec}': its files do not say how long a text may be")
    return int(length)


def _weights_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    kinds = (sorted(folder.glob(pattern)) for pattern in WEIGHTS)
    for path in next(files for files in kinds if files):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
