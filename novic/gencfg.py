"""The text form of a decoding strategy: `beam_k10_vnone_gp_t1_a0` (novic_spec §8.1).

    beam | greedy | all   beam search, its one-beam form, or every noun scored
    k10                   nouns kept and returned
    vnone | vtok1 | vtgt1 prior that is divided out, and how strongly: of the distinct tokens that
                          may follow, or of the nouns behind them
    gp | gr | gn          guided with plain scores, guided with renormalised ones, or free
    t1                    temperature of the logits
    a0                    scores are divided by (number of tokens) to this power

Upstream wants all parts in this order, spelt exactly so. Here they may come in any order, parts may
be missing, and numbers may be written as people write them.
"""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from novic.errors import NomalyError

if TYPE_CHECKING:  # a slip in the text is told before torch is loaded
    from novic.generate import Decoding

type Method = Literal["greedy", "beam", "all"]
type Prior = Literal["none", "tok", "tgt"]
type Guide = Literal["n", "p", "r"]

GRAMMAR = "METHOD_kK_vPRIOR_gGUIDE_tTAU_aALPHA, for example beam_k10_vnone_gp_t1_a0"


class GenConfigError(NomalyError):
    """A decoding strategy that cannot be read or makes no sense; the text names the part."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class GenConfig:
    """A decoding strategy; the defaults are upstream's standard one."""

    method: Method = "beam"
    topk: int = 10
    """Nouns kept while searching and returned."""
    prior: Prior = "none"
    """`tok`: all tokens that may follow are equally likely; `tgt`: all nouns are."""
    scaler: float = 0.0
    """How strongly the prior is divided out; 0 is not at all."""
    guide: Guide = "p"
    temperature: float = 1.0
    length_alpha: float = 0.0

    def __post_init__(self) -> None:
        """Refuse strategies that make no sense.

        Raises:
            GenConfigError: Naming what contradicts what.
        """
        if self.topk < 1:
            raise GenConfigError(f"k{self.topk}: at least 1 noun must be kept")
        if not (self.temperature > 0 and math.isfinite(self.temperature)):
            raise GenConfigError(f"t{self.temperature:g}: the temperature must be above 0")
        if self.method == "greedy" and self.topk != 1:
            raise GenConfigError(f"greedy search keeps one noun, not k{self.topk}; use beam or k1")
        if self.method == "greedy" and self.prior != "none":
            raise GenConfigError("greedy search takes no prior; use beam_k1 or vnone")
        if self.method == "all" and self.guide == "n":
            raise GenConfigError("'all' scores given nouns, so it needs a guide: gp or gr")

    @property
    def name(self) -> str:
        """The canonical text, upstream's own wherever upstream can read it."""
        prior = self.prior if self.prior == "none" else f"{self.prior}{_number(self.scaler)}"
        return (
            f"{self.method}_k{self.topk}_v{prior}_g{self.guide}"
            f"_t{_number(self.temperature)}_a{_number(self.length_alpha)}"
        )

    @property
    def has_prior(self) -> bool:
        """Whether a prior is divided out."""
        return self.prior != "none" and self.scaler != 0

    @property
    def gives_probabilities(self) -> bool:
        """Whether exp of a score is a probability (`novic.decode`)."""
        return not self.has_prior and self.length_alpha == 0

    def decoding(self) -> "Decoding":
        """The same as settings of a search along a trie."""
        from novic.generate import Decoding  # noqa: PLC0415

        return Decoding(self.topk, self.guide == "r", self.temperature, self.length_alpha)


def parse_gencfg(text: str) -> GenConfig:
    """Read a strategy, its parts in any order and any of them missing.

    A missing part means the standard one (one noun for greedy search).

    Raises:
        GenConfigError: Naming the part that cannot be read, stands twice, or makes no sense.
    """
    found: dict[str, object] = {}
    for part in text.strip().split("_"):
        for name, value in _part(part, text).items():
            if name in found:
                raise GenConfigError(f"'{text}': {name} is given twice, then as '{part}'")
            found[name] = value
    if found.get("method") == "greedy":
        found.setdefault("topk", 1)
    try:
        return GenConfig(**found)  # type: ignore[arg-type]
    except GenConfigError as error:
        raise GenConfigError(f"'{text}': {error}") from error


def _part(part: str, text: str) -> dict[str, object]:
    """What one part says."""
    if part in ("greedy", "beam", "all"):
        return {"method": part}
    if part in ("gn", "gp", "gr"):
        return {"guide": part[1]}
    if part == "vnone":
        return {"prior": "none"}
    if prior := re.fullmatch(r"v(tok|tgt)(.+)", part):
        return {"prior": prior[1], "scaler": _float(prior[2], part, text)}
    if re.fullmatch(r"k[+-]?\d+", part):
        return {"topk": int(part[1:])}
    if re.fullmatch(r"[ta][+-]?[.\d].*", part):
        name = "temperature" if part[0] == "t" else "length_alpha"
        return {name: _float(part[1:], part, text)}
    raise GenConfigError(f"'{text}': cannot read the part '{part}'; write {GRAMMAR}")


def _float(number: str, part: str, text: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise GenConfigError(f"'{text}': '{number}' in the part '{part}' is no number")
    return value + 0.0  # a negative zero is a zero


def _number(value: float) -> str:
    """Upstream's spelling, up to three decimals and no trailing zeros; more if there are more."""
    short = f"{value:.3f}".rstrip("0").rstrip(".")
    short = "0" if short == "-0" else short
    return short if float(short) == value else repr(value)
