"""CLIP-class embedders through open_clip; the only module that imports it.

A model's own open_clip configuration says how it reads texts and images: tokenizer, cleaning,
context length, padding, resize mode, activation. Nothing of that is guessed here, and open_clip
carries it out; what it leaves open is where files come from, precision and errors. What the files
themselves tell is in `novic.embedders.openclip_files`.
"""

import difflib
import importlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.factory import _find_checkpoint_in_dir
from open_clip.tokenizer import DEFAULT_CONTEXT_LENGTH, HFTokenizer, SimpleTokenizer
from open_clip.transform import PreprocessCfg, image_transform_v2
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES, OPENAI_IMAGENET_TEMPLATES
from torch import Tensor

from novic.digest import file_sha256
from novic.embedder import EmbedderError, PatchVectors, Pixels, TokenIds, Vectors
from novic.embedders.hub import (
    OPENAI_CACHE,
    check_vocabulary,
    model_folder,
    reason,
    special_ids,
    tokenizer_folder,
)
from novic.embedders.openclip_files import (
    CONFIG,
    WEIGHTS,
    Source,
    folder_config,
    is_torchscript,
    weights_file,
)
from novic.embedders.openclip_patches import parted, with_patches
from novic.embedders.towers import (
    Inputs,
    Runner,
    as_picture,
    autocast_dtype,
    prepare_images,
    stacked,
)
from novic.extras import missing_package

PROBES = (
    "cat",
    "traffic light",
    "3d printer",
    "crème brûlée",
    "jack-o'-lantern",
    "A close-up photo of two T-shirts, and a dog in the U.S.",
)
"""Texts that tokenizers cut in more than one way if something about them is wrong."""


class OpenClipEmbedder:
    """An `Embedder` on any model that open_clip can build, with its own transforms.

    Args:
        source: The model: `openclip_source` or `openai_source`.
        device: Where it runs.
        precision: `auto` (float16 autocast on CUDA), `fp16`, `bf16` or `fp32`.

    Raises:
        UsageError: If the precision is unknown or not to be had on that device.
        EmbedderError: If the model, its weights or its tokenizer cannot be read.
    """

    def __init__(self, source: Source, device: torch.device, precision: str = "auto") -> None:
        self.spec = source.spec
        self._source = source
        self._runner = Runner(source.spec, device, autocast_dtype(precision, device))
        self._tokenize = _tokenizer(source)
        self._model, self._image_config = _model(source, device)
        self._transform: Any = image_transform_v2(self._image_config, is_train=False)
        self.token_ids = _token_ids(self._tokenize)
        self.end_id = self.token_ids.end
        if isinstance(self._tokenize, HFTokenizer):
            known = self.token_ids.vocabulary
            check_vocabulary(source.spec, known, source.text_config().get("vocab_size", known))
        self.width = self._texts(["a"])[0].shape[1]

    @property
    def clip(self) -> Any:  # noqa: ANN401 - open_clip has several classes for it
        """The model of both towers, for who trains a copy of one."""
        return self._model

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self._runner.device

    def tokenise(self, texts: Sequence[str]) -> Tensor:
        """Token ids [N, context], as the text tower reads them."""
        return self._tokenize(list(texts))

    def preprocessing(self) -> dict[str, str]:
        """The image transform in words, for a bundle's card."""
        return {"image": str(self._transform)}

    def warm_up(self) -> None:
        """Nothing to prepare: the model is ready once it is loaded."""

    def embed_images(self, images: Sequence[Pixels]) -> Vectors:
        """Embed images [H, W, 3] of any sizes; float32 unit vectors [N, F]."""
        rows = self._runner.run(images, "images", self._image_inputs, self._encode_images)
        return stacked(rows, self.width)

    def embed_with_patches(self, images: Sequence[Pixels]) -> tuple[Vectors, PatchVectors]:
        """The same, and unit vectors of their patches [N, P, F]."""
        encode = with_patches(self.spec, self._model.visual, self._encode_images)
        return parted(self._runner.run(images, "images", self._image_inputs, encode), self.width)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts; float32 unit vectors [N, F]."""
        return stacked(self._texts(texts), self.width)

    def clean_text(self, text: str) -> str:
        """A text as its tokenizer reads it: texts that are cleaned alike have the same vector."""
        return self._tokenize.clean_fn(text)

    def encode_noun(self, noun: str) -> list[int]:
        """A noun's tokens as the text model reads them, without those of start and end."""
        if isinstance(self._tokenize, HFTokenizer):
            cleaned = self._tokenize.clean_fn(noun)
            tokenizer: Any = self._tokenize.tokenizer
            return list(tokenizer(cleaned, add_special_tokens=False).input_ids)
        return self._tokenize.encode(noun)

    def identity(self) -> dict[str, Any]:
        """What its vectors depend on; the weights' SHA-256 for weights of the user's own."""
        source = self._source
        model_id = source.model_id
        if source.local:
            model_id = f"{Path(model_id).name}@{file_sha256(source.weights)}"
        return {
            "model_id": model_id,
            "model_config": dict(source.config),
            "class": source.kind,
            "device_type": self._runner.device.type,
            "amp_dtype": str(self._runner.dtype),
        }

    def _texts(self, texts: Sequence[str]) -> list[Vectors]:
        return self._runner.run(texts, "texts", self._text_inputs, self._encode_texts)

    def _encode_images(self, inputs: Inputs) -> Tensor:
        return self._model.encode_image(inputs["image"])

    def _encode_texts(self, inputs: Inputs) -> Tensor:
        return self._model.encode_text(inputs["text"])

    def _text_inputs(self, texts: Sequence[str]) -> Inputs:
        return {"text": self.tokenise(texts)}

    def _image_inputs(self, images: Sequence[Pixels]) -> Inputs:
        return {"image": prepare_images(images, self._image_input)}

    def _image_input(self, image: Pixels) -> Tensor:
        shortest = self._image_config.resize_mode == "shortest"
        return torch.as_tensor(self._transform(as_picture(image, middle_square=shortest)))


def openclip_source(name: str) -> Source:
    """Find the parts of an `openclip:` model.

    Args:
        name: One of
            `owner/name`, a hub id (downloaded once, then read from the hub's cache);
            a local folder that holds `open_clip_config.json`, weights and tokenizer;
            `ARCHITECTURE@FILE`, one of open_clip's architectures and a local weights file. Weights
            of OpenAI, DFN and MetaCLIP want an architecture whose name ends in `-quickgelu`.

    Raises:
        EmbedderError: If something of it is missing.
    """
    spec = f"openclip:{name}"
    local = Path(name).expanduser().is_dir()
    architecture, at, file = name.partition("@")
    if at and not local:
        config = _architecture_config(spec, architecture)
        weights = weights_file(spec, file)
        return Source(spec, name, config, weights, architecture=architecture, local=True)
    if name in open_clip.list_models() and not local:
        raise EmbedderError(
            f"embedder '{spec}': {name} is an architecture without weights; give {name}@FILE, or "
            "the hub id of a trained model, like timm/ViT-B-16-SigLIP"
        )
    folder = model_folder(spec, name, CONFIG, WEIGHTS)
    found = _find_checkpoint_in_dir(folder)
    return Source(spec, name, folder_config(spec, folder), Path(str(found)), folder, local=local)


def openai_source(name: str) -> Source:
    """Find the parts of one of OpenAI's CLIP models.

    Args:
        name: `RN50` … `ViT-B-32`, `ViT-L-14-336` (or OpenAI's spelling, `ViT-L/14@336px`), whose
            weights lie in the hub's cache or in OpenAI's own; or `NAME@FILE`.

    Raises:
        EmbedderError: If OpenAI has no such model or its weights are missing.
    """
    spec = f"openai:{name}"
    plain, at, file = name.replace("@336px", "-336").partition("@")
    plain = plain.replace("/", "-")
    known = openai_models()
    if plain not in known:
        raise EmbedderError(f"embedder '{spec}': no such model; OpenAI has {', '.join(known)}")
    # OpenAI's weights were trained with QuickGELU; the plain architectures have the exact one.
    architecture = f"{plain}-quickgelu"
    config = _architecture_config(spec, architecture)
    weights = weights_file(spec, file) if at else _openai_weights(spec, plain)
    return Source(
        spec, plain, config, weights, None, architecture, local=bool(at), kind="OpenAIEmbedder"
    )


def openai_models() -> list[str]:
    """Names of OpenAI's models."""
    names = open_clip.list_pretrained_models_by_tag("openai")
    return [name for name in names if not name.endswith("-quickgelu")]


def new_clip(architecture: str) -> Any:  # noqa: ANN401
    """A model of one of open_clip's architectures, with random weights, in eval mode on the CPU.

    Raises:
        EmbedderError: If there is no such architecture.
    """
    if open_clip.get_model_config(architecture) is None:
        raise EmbedderError(f"open_clip has no architecture '{architecture}'; try ViT-B-16")
    return open_clip.create_model(architecture, pretrained=None, load_weights=False).eval()


def imagenet_names() -> list[str]:
    """Names of the 1,000 ImageNet classes, in the order of their WordNet ids."""
    return list(IMAGENET_CLASSNAMES)


def imagenet_prompts() -> list[str]:
    """The 80 prompts that CLIP is tested with on ImageNet, `{c}` standing for the class."""
    return [template("{c}") for template in OPENAI_IMAGENET_TEMPLATES]


def _architecture_config(spec: str, architecture: str) -> Mapping[str, Any]:
    """Configuration of one of open_clip's architectures, with the image transform of its weights.

    Raises:
        EmbedderError: If there is no such architecture, or its known weights want different
            transforms, so that a file of weights does not say which.
    """
    model = open_clip.get_model_config(architecture)
    if model is None:
        close = difflib.get_close_matches(architecture, open_clip.list_models(), 3, 0.4)
        raise EmbedderError(
            f"embedder '{spec}': open_clip has no architecture '{architecture}'; "
            f"did you mean {' or '.join(close) or 'a hub id or a folder'}?"
        )
    keys = ("mean", "std", "interpolation", "resize_mode")
    transforms = []
    for tag in open_clip.list_pretrained_tags_by_model(architecture):
        known = open_clip.get_pretrained_cfg(architecture, tag)
        transform = {key: known[key] for key in keys if key in known}
        if transform not in transforms:
            transforms.append(transform)
    if len(transforms) > 1:
        raise EmbedderError(
            f"embedder '{spec}': weights of {architecture} want different image transforms; "
            f"give a folder with {CONFIG} instead"
        )
    return {"model_cfg": model, "preprocess_cfg": transforms[0] if transforms else {}}


def _openai_weights(spec: str, name: str) -> Path:
    known = open_clip.get_pretrained_cfg(name, "openai")
    own = OPENAI_CACHE.expanduser() / Path(known["url"]).name
    if own.is_file():
        return own
    hub_id = known["hf_hub"].strip("/")
    folder = model_folder(spec, hub_id, CONFIG, WEIGHTS, instead=f"{name}@FILE")
    return Path(str(_find_checkpoint_in_dir(folder)))


def _model(source: Source, device: torch.device) -> tuple[Any, PreprocessCfg]:
    """The model in eval mode on its device, and its image transform's configuration.

    Raises:
        EmbedderError: If the weights are damaged or are not those of this model.
    """
    try:
        if source.kind == "OpenAIEmbedder" and is_torchscript(source.weights):
            model: Any = _openai_model(source, device)
            return model.eval(), PreprocessCfg(size=model.visual.image_size)
        name = f"local-dir:{source.folder}" if source.folder else source.architecture
        # A folder brings its own weights and transform; open_clip reads both itself.
        weights = None if source.folder else str(source.weights)
        transform = {} if source.folder else dict(source.config["preprocess_cfg"])
        model = open_clip.create_model(
            name,
            pretrained=weights,
            device=device,
            force_preprocess_cfg=transform,
            require_pretrained=True,
        )
    except EmbedderError:
        raise
    except Exception as error:
        raise EmbedderError(
            f"embedder '{source.spec}' cannot be loaded: {source.weights} is damaged or not the "
            f"weights of this model ({reason(error)}); download it again"
        ) from error
    return model.eval(), PreprocessCfg(**model.visual.preprocess_cfg)


def _openai_model(source: Source, device: torch.device) -> Any:  # noqa: ANN401
    """Read OpenAI's own file, a program in TorchScript; only if it is theirs, byte for byte."""
    url = open_clip.get_pretrained_url(source.model_id, "openai")
    if file_sha256(source.weights) != url.split("/")[-2]:
        raise EmbedderError(
            f"embedder '{source.spec}': {source.weights} is not OpenAI's file (SHA-256 differs); "
            "give theirs, or safetensors"
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.")
        return open_clip.load_openai_model(str(source.weights), "fp32", device)


def _tokenizer(source: Source) -> HFTokenizer | SimpleTokenizer:
    """The model's tokenizer, with cleaning, context and padding as its configuration says.

    Raises:
        EmbedderError: If its files are missing or damaged.
    """
    text = source.text_config()
    context = text.get("context_length", DEFAULT_CONTEXT_LENGTH)
    options = text.get("tokenizer_kwargs", {})
    name = text.get("hf_tokenizer_name")
    if not name:
        return SimpleTokenizer(context_length=context, **options)
    folder = tokenizer_folder(source.spec, source.folder, name)
    try:
        # Programs that come with a tokenizer are never run, nor is anyone asked if they may.
        options = {**options, "trust_remote_code": False}
        tokenizer = HFTokenizer(
            str(folder), context, tokenizer_mode=text.get("tokenizer_mode"), **options
        )
        tokenizer(["a"])
    except ImportError as error:
        raise missing_package("transformers", f"embedder '{source.spec}'") from error
    except Exception as error:
        raise EmbedderError(
            f"embedder '{source.spec}': the tokenizer in {folder} cannot be read "
            f"({reason(error)}); download its files again"
        ) from error
    _check_pieces(source.spec, tokenizer, folder / "tokenizer.json")
    return tokenizer


def _check_pieces(spec: str, tokenizer: HFTokenizer, file: Path) -> None:
    """Refuse a tokenizer that transformers has built otherwise than its file says.

    It builds some kinds anew from their vocabulary alone. NOVIC's decoders, and the vectors that
    they read, were made with what the file says.

    Raises:
        EmbedderError: If both cut a text differently.
    """
    if not file.is_file():
        return
    # It comes with transformers, which only some models need.
    said = importlib.import_module("tokenizers").Tokenizer.from_file(str(file))
    built: Any = tokenizer.tokenizer
    for text in map(tokenizer.clean_fn, PROBES):
        if said.encode(text, add_special_tokens=False).ids != built.encode(
            text, add_special_tokens=False
        ):
            raise EmbedderError(
                f"embedder '{spec}': the installed transformers does not cut '{text}' as {file} "
                "says; use another version of transformers"
            )


def _token_ids(tokenize: HFTokenizer | SimpleTokenizer) -> TokenIds:
    if isinstance(tokenize, SimpleTokenizer):
        # It pads with 0, behind the end, where CLIP does not look; the same tokenizer on the hub
        # pads with its end, and that is what decoders of CLIP models have in their files.
        start, end = tokenize.sot_token_id, tokenize.eot_token_id
        return TokenIds(tokenize.vocab_size, start, end, end)
    return special_ids(tokenize.tokenizer)
