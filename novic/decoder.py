"""The noun decoder: a small prefix language model that reads one unit vector and writes one noun.

Layout after NOVIC (Allgeuer et al., WACV 2025, arXiv 2407.11211): the vector becomes P prefix
states, which see each other fully; noun tokens follow causally and see the whole prefix. Because
the prefix never sees the tokens, its keys and values are computed once per image and serve every
beam and every noun that is scored for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from novic.errors import UsageError

GELU_GAIN = 0.6521
"""Root mean square of GELU(x) for standard normal x."""


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """Sizes of a decoder; the defaults are upstream's released models."""

    width: int
    """F, components of the vector it reads."""
    vocabulary: int
    """V, compact tokens including the end of a noun."""
    max_tokens: int
    """C, tokens of the longest noun, its end included."""
    hidden: int = 512
    feedforward: int = 128
    layers: int = 6
    heads: int = 8
    prefix: int = 4
    dropout: float = 0.1
    """Share of inputs and layer outputs dropped while training."""

    def __post_init__(self) -> None:
        """Refuse sizes that cannot work.

        Raises:
            UsageError: If a size is below 1 or the heads don't divide the hidden size.
        """
        for name in (
            "width",
            "vocabulary",
            "max_tokens",
            "hidden",
            "feedforward",
            "layers",
            "heads",
            "prefix",
        ):
            if getattr(self, name) < 1:
                raise UsageError(f"decoder {name} must be at least 1, got {getattr(self, name)}")
        if self.hidden % self.heads:
            raise UsageError(
                f"decoder hidden size {self.hidden} is not a multiple of its {self.heads} heads"
            )

    @property
    def positions(self) -> int:
        """Learned positions: the prefix and every token but the last."""
        return self.prefix + self.max_tokens - 1

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight of a `PrefixedDecoder` of these sizes, without making it."""
        hidden, inner = self.hidden, self.feedforward
        in_layer = {
            "attention_norm": (hidden,),
            "attention_in": (3 * hidden, hidden),
            "attention_out": (hidden, hidden),
            "feedforward_norm": (hidden,),
            "feedforward_in": (inner, hidden),
            "feedforward_out": (hidden, inner),
        }
        shapes: dict[str, tuple[int, ...]] = {
            "prefix_in.weight": (self.prefix * hidden, self.width),
            "token_table.weight": (self.vocabulary, hidden),
            "position_table.weight": (self.positions, hidden),
            "final_norm.weight": (hidden,),
        }
        for layer in range(self.layers):
            shapes |= {f"layers.{layer}.{name}.weight": size for name, size in in_layer.items()}
        return shapes


@dataclass(frozen=True, slots=True, eq=False)
class KvCache:
    """Keys and values of what R hypotheses have read.

    The prefix of a vector is kept once, whatever the number of its hypotheses. Their tokens are
    copied once a step, together with making room for the next.
    """

    prefix: Tensor
    """Of B vectors [layers, 2, B, heads, P, H / heads]."""
    tokens: Tensor
    """Of the T tokens said so far, in the hypotheses that there were [T, layers, 2, R', H]."""
    row: Tensor
    """Which of those hypotheses each one continues [R]."""
    vector: Tensor
    """The vector of each hypothesis [R], ascending."""

    def of(self, rows: Tensor) -> "KvCache":
        """The cache of some hypotheses [R], their vectors in ascending order."""
        return replace(self, row=self.row[rows], vector=self.vector[rows])

    def with_room(self) -> "KvCache":
        """With room for one more token of each hypothesis, still to be filled."""
        said, layers, _, _, hidden = self.tokens.shape
        tokens = self.tokens.new_empty(said + 1, layers, 2, len(self.row), hidden)
        torch.index_select(self.tokens, 3, self.row, out=tokens[:said])
        row = torch.arange(len(self.row), device=self.row.device)
        return replace(self, tokens=tokens, row=row)

    def padded_slots(self) -> tuple[Tensor, int]:
        """Where each hypothesis stands if all vectors are padded to as many hypotheses.

        Returns:
            Rows [R], int64, of a table [B * most, ...], and `most` hypotheses of any vector.
        """
        sizes = torch.bincount(self.vector, minlength=self.prefix.shape[2])
        most = int(sizes.max())
        before = torch.cumsum(sizes, 0) - sizes
        return self.vector * most + self.row - before[self.vector], most

    def attend(self, layer: int, q: Tensor, slots: tuple[Tensor, int]) -> Tensor:
        """Attention of queries [R, heads, d] over all that each hypothesis has read [R, H]."""
        prefix_keys, prefix_values = self.prefix[layer]
        keys, values = self.tokens[:, layer].unflatten(-1, q.shape[1:]).unbind(1)
        q = q * q.shape[-1] ** -0.5
        about_prefix = _each_vector(q, prefix_keys.transpose(-1, -2), slots)
        about_tokens = (q * keys).sum(dim=-1).movedim(0, -1)
        weights = torch.cat([about_prefix, about_tokens], dim=-1).softmax(dim=-1)
        of_prefix, of_tokens = weights.split([about_prefix.shape[-1], len(keys)], dim=-1)
        mixed = (of_tokens.movedim(-1, 0).unsqueeze(-1) * values).sum(dim=0)
        return (mixed + _each_vector(of_prefix, prefix_values, slots)).flatten(1)


def _each_vector(rows: Tensor, matrices: Tensor, slots: tuple[Tensor, int]) -> Tensor:
    """Multiply the rows [R, heads, n] of each vector with its matrices [B, heads, n, m]."""
    slot, most = slots
    count, heads, _, _ = matrices.shape
    if count == 1:
        return (rows.transpose(0, 1) @ matrices[0]).transpose(0, 1)
    table = rows.new_zeros(count * most, *rows.shape[1:])
    table[slot] = rows
    found = table.unflatten(0, (count, most)).transpose(1, 2) @ matrices
    return found.transpose(1, 2).reshape(count * most, heads, -1)[slot]


class DecoderLayer(nn.Module):
    """A pre-norm transformer layer without biases."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        hidden = config.hidden
        self.heads = config.heads
        self.dropout = config.dropout
        self.attention_norm = nn.LayerNorm(hidden, bias=False)
        self.attention_in = nn.Linear(hidden, 3 * hidden, bias=False)
        self.attention_out = nn.Linear(hidden, hidden, bias=False)
        self.feedforward_norm = nn.LayerNorm(hidden, bias=False)
        self.feedforward_in = nn.Linear(hidden, config.feedforward, bias=False)
        self.feedforward_out = nn.Linear(config.feedforward, hidden, bias=False)

    def queries_keys_values(self, states: Tensor) -> Tensor:
        """Project states [..., H] to [..., 3 H]: queries, keys and values side by side."""
        return self.attention_in(self.attention_norm(states))

    def split_heads(self, states: Tensor) -> Tensor:
        """[R, S, H] to [R, heads, S, H / heads]."""
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def split_rows(self, states: Tensor) -> Tensor:
        """[R, H] to [R, heads, H / heads]."""
        return states.unflatten(-1, (self.heads, -1))

    def attend(self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """Attention of queries [R, Q, H] over keys and values [R, S, H]; gives [R, Q, H]."""
        mixed = functional.scaled_dot_product_attention(
            self.split_heads(q),
            self.split_heads(k),
            self.split_heads(v),
            attn_mask=mask,
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.attention_out(mixed.transpose(1, 2).flatten(2))

    def finish(self, states: Tensor, attended: Tensor) -> Tensor:
        """Both residual steps after attention, [..., H]."""
        states = states + self._drop(attended)
        inner = self.feedforward_in(self.feedforward_norm(states))
        return states + self._drop(self.feedforward_out(self._drop(functional.gelu(inner))))

    def _drop(self, states: Tensor) -> Tensor:
        return functional.dropout(states, self.dropout, self.training)


class PrefixedDecoder(nn.Module):
    """Unit vector and noun tokens in, logits of every next token out."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.prefix_in = nn.Linear(config.width, config.prefix * config.hidden, bias=False)
        self.token_table = nn.Embedding(config.vocabulary, config.hidden)
        """Rows serve as token inputs and, transposed, as the output matrix (tied)."""
        self.packed_output: nn.Module | None = None
        """The output matrix laid out for inference; see `novic.packed`."""
        self.position_table = nn.Embedding(config.positions, config.hidden)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.final_norm = nn.LayerNorm(config.hidden, bias=False)
        seen = torch.ones(config.positions, config.positions).tril().bool()
        seen[: config.prefix, : config.prefix] = True
        self.register_buffer("seen", seen, persistent=False)
        self.initialise()

    @torch.no_grad()
    def initialise(self) -> None:
        """Draw balanced starting weights: logits spread by 0.7 at first (novic_spec §5.4)."""
        size = self.config
        depth = 1 / math.sqrt(2 * size.layers)
        attended = (2 * size.prefix - 1) / size.prefix**2
        for table in (self.prefix_in, self.token_table, self.position_table):
            nn.init.normal_(table.weight, std=math.sqrt(0.5))
        for layer in self.decoder_layers():
            spread = 1 / math.sqrt(size.hidden)
            nn.init.normal_(layer.attention_in.weight, std=spread)
            nn.init.normal_(layer.attention_out.weight, std=spread / math.sqrt(attended) * depth)
            nn.init.normal_(layer.feedforward_in.weight, std=spread)
            nn.init.normal_(
                layer.feedforward_out.weight,
                std=depth / (math.sqrt(size.feedforward) * GELU_GAIN),
            )
        nn.init.constant_(self.final_norm.weight, 1 / math.sqrt(size.hidden))

    def decoder_layers(self) -> list[DecoderLayer]:
        """The layers, first to last."""
        return [layer for layer in self.layers if isinstance(layer, DecoderLayer)]

    def forward(self, embeddings: Tensor, tokens: Tensor) -> Tensor:
        """Logits of every token of a noun given the tokens before it, computed in one go.

        Args:
            embeddings: Vectors [B, F]; normalised here.
            tokens: Compact tokens [B, C'], int64, 1 <= C' <= C, END and padding included.

        Returns:
            Logits [B, C', V]; entry [b, i] is about tokens[b, i]. Entries behind a noun's END
            mean nothing.
        """
        size = self.config
        said = self.token_table(tokens[:, :-1])
        states = torch.cat([self._prefix_inputs(embeddings), said], dim=1)
        states = states + self.position_table.weight[: states.shape[1]]
        states = functional.dropout(states, size.dropout, self.training)
        seen = self.get_buffer("seen")[: states.shape[1], : states.shape[1]]
        for layer in self.decoder_layers():
            q, k, v = layer.queries_keys_values(states).chunk(3, dim=-1)
            states = layer.finish(states, layer.attend(q, k, v, seen))
        return self.logits(self.final_norm(states[:, size.prefix - 1 :]))

    def target_states(
        self,
        embeddings: Tensor,
        tokens: Tensor,
        sample: Tensor,
        groups: Sequence[tuple[int, int]],
    ) -> tuple[Tensor, Tensor]:
        """What `forward` computes, with each embedding's prefix run once for all of its nouns.

        Nouns lie one behind the other without padding, so every position that is computed counts.
        While training, the nouns of an embedding share what is dropped in its prefix.

        Args:
            embeddings: Vectors [B, F]; normalised here.
            tokens: Compact tokens of all nouns without their END [T], int64.
            sample: The embedding that each noun belongs to [R], int64.
            groups: Nouns of equal length that follow each other: how many, and their tokens
                without END, which are 1 or more. Adds up to R nouns and T tokens.

        Returns:
            Final states that predict the first token of each embedding's nouns [B, H], and those
            that predict the token after each of `tokens` [T, H].
        """
        size, batch = self.config, len(embeddings)
        positions = self.position_table.weight
        # Position by position: what the last layer still needs of the prefix is then one slice.
        begun = self._prefix_inputs(embeddings).transpose(0, 1) + positions[: size.prefix, None]
        place = [torch.arange(n, device=tokens.device).repeat(rows) for rows, n in groups]
        said = self.token_table(tokens) + self.position_table(torch.cat(place) + size.prefix)
        states = torch.cat([begun.flatten(0, 1), said])
        states = functional.dropout(states, size.dropout, self.training)
        *lower, last = self.decoder_layers()
        for layer in lower:
            states = layer.finish(states, self._attend_targets(layer, states, sample, groups))
        attended = self._attend_targets(last, states, sample, groups)
        unread = batch * (size.prefix - 1)
        ends = self.final_norm(last.finish(states[unread:], attended[unread:]))
        return ends[:batch], ends[batch:]

    def _attend_targets(
        self,
        layer: DecoderLayer,
        states: Tensor,
        sample: Tensor,
        groups: Sequence[tuple[int, int]],
    ) -> Tensor:
        """Attention between the states of `target_states` [P B + T, H]; gives the same layout."""
        prefix = self.config.prefix
        seen = self.get_buffer("seen")
        qkv = layer.queries_keys_values(states)
        spoken = [rows * length for rows, length in groups]
        # One split: slicing would fill a gradient as large as qkv for every slice.
        begun, *said = qkv.split([len(states) - sum(spoken), *spoken])
        q, k, v = begun.unflatten(0, (prefix, -1)).transpose(0, 1).chunk(3, dim=-1)
        attended = [layer.attend(q, k, v, None).transpose(0, 1).flatten(0, 1)]
        shared = torch.cat([k, v], dim=-1).flatten(1).index_select(0, sample)
        shared = shared.unflatten(1, (prefix, -1)).split([rows for rows, _ in groups])
        for (rows, length), own, before in zip(groups, said, shared, strict=True):
            q, own = own.unflatten(0, (rows, length)).split(
                [self.config.hidden, 2 * self.config.hidden], dim=-1
            )
            k, v = torch.cat([before, own], dim=1).chunk(2, dim=-1)
            mask = seen[prefix : prefix + length, : prefix + length]
            attended.append(layer.attend(q, k, v, mask).flatten(0, 1))
        return torch.cat(attended)

    def logits(self, states: Tensor) -> Tensor:
        """Final states [..., H] to logits [..., V]."""
        if self.packed_output is not None:
            return self.packed_output(states)
        return functional.linear(states, self.token_table.weight)

    def start(self, embeddings: Tensor) -> tuple[Tensor, KvCache]:
        """Run the prefix once per vector.

        Args:
            embeddings: Vectors [B, F]; normalised here.

        Returns:
            Final state [B, H] that predicts the first token, and the cache of B hypotheses that
            have said nothing yet.
        """
        states = self._prefix_inputs(embeddings) + self.position_table.weight[: self.config.prefix]
        kept = []
        for layer in self.decoder_layers():
            q, k, v = layer.queries_keys_values(states).chunk(3, dim=-1)
            kept.append(torch.stack([layer.split_heads(k), layer.split_heads(v)]))
            states = layer.finish(states, layer.attend(q, k, v, None))
        none = states.new_empty(0, self.config.layers, 2, len(states), self.config.hidden)
        row = torch.arange(len(states), device=states.device)
        return self.final_norm(states[:, -1]), KvCache(torch.stack(kept), none, row, row)

    def advance(self, tokens: Tensor, cache: KvCache) -> tuple[Tensor, KvCache]:
        """Read one more token in each of R hypotheses.

        Args:
            tokens: The token just said in each hypothesis [R], int64.
            cache: Of these hypotheses.

        Returns:
            Final states [R, H] that predict the next token, and the cache with these tokens.
        """
        read = self.config.prefix + len(cache.tokens)
        states = self.token_table(tokens) + self.position_table.weight[read]
        cache = cache.with_room()
        newest = cache.tokens[-1]
        slots = cache.padded_slots()
        for number, layer in enumerate(self.decoder_layers()):
            q, keys, values = layer.queries_keys_values(states).chunk(3, dim=-1)
            newest[number, 0], newest[number, 1] = keys, values
            attended = cache.attend(number, layer.split_rows(q), slots)
            states = layer.finish(states, layer.attention_out(attended))
        return self.final_norm(states), cache

    def _prefix_inputs(self, embeddings: Tensor) -> Tensor:
        """[B, F] to [B, P, H]."""
        unit = functional.normalize(embeddings, dim=-1).to(self.token_table.weight.dtype)
        return self.prefix_in(unit).unflatten(-1, (self.config.prefix, self.config.hidden))
