"""Named sizes and settings for training from a cache."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from training.loop_config import TrainConfig


@dataclass(frozen=True, slots=True)
class Preset:
    """Sizes of a decoder that differ from `DecoderConfig`'s, and how it is trained."""

    sizes: Mapping[str, int | float] = field(default_factory=dict)
    config: TrainConfig = field(default_factory=TrainConfig)


PRESETS = {
    "upstream": Preset(),
    "small": Preset(
        {"hidden": 256, "feedforward": 256, "layers": 3, "heads": 4, "prefix": 2},
        TrainConfig(epochs=10, batch_size=256, accumulate=1, chunk_scale=5),
    ),
}
"""`upstream` is what the released models are; `small` learns a few thousand nouns on a CPU."""
