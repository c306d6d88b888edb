"""The files of open_clip's models: where a model's parts lie, and what they tell without open_clip.

Which parts belong to which name, and everything that open_clip does with them, is
`novic.embedders.openclip`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from novic.embedder import EmbedderError
from novic.embedders.hub import reason
from novic.json_files import read_json

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""What open_clip's weights are called in a repository of the hub, best first."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model's parts lie."""

    spec: str
    model_id: str
    """What the spec calls it, for identities."""
    config: Mapping[str, Any]
    """Its open_clip configuration: `model_cfg`, and `preprocess_cfg` where it has one."""
    weights: Path
    folder: Path | None = None
    """Holds configuration, weights and tokenizer, if one folder does."""
    architecture: str = ""
    """Otherwise the name of one of open_clip's own architectures."""
    local: bool = False
    """Whether the weights are the user's own, which a name does not identify."""
    kind: str = "OpenCLIPEmbedder"
    """The class that version-1 caches were made by (novic_spec §3.2)."""

    def text_config(self) -> Mapping[str, Any]:
        """How the model reads texts."""
        return self.config["model_cfg"]["text_cfg"]


def folder_config(spec: str, folder: Path) -> Mapping[str, Any]:
    """Configuration of the model in a folder.

    Raises:
        EmbedderError: If it cannot be read or is none.
    """
    path = folder / CONFIG
    try:
        config = read_json(path)
    except (OSError, ValueError) as error:
        raise EmbedderError(
            f"embedder '{spec}': {path} cannot be read as JSON ({reason(error)})"
        ) from error
    model = config.get("model_cfg") if isinstance(config, dict) else None
    if not isinstance(model, dict) or not {"text_cfg", "vision_cfg"} <= model.keys():
        raise EmbedderError(
            f"embedder '{spec}': {path} is no open_clip configuration: it lacks model_cfg with "
            "text_cfg and vision_cfg"
        )
    return config


def weights_file(spec: str, file: str) -> Path:
    """The user's own weights file.

    Raises:
        EmbedderError: If there is none.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise EmbedderError(f"embedder '{spec}': there is no weights file {file}")
    return path


def is_torchscript(path: Path) -> bool:
    """Whether a file holds a program in TorchScript."""
    try:
        with ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except BadZipFile:
        return False
