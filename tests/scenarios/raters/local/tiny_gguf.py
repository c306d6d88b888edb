"""A real GGUF file, 100 kB: one block of random weights that reads bytes and knows yes and no.

Written by the rules of the GGUF format (version 3). What it says means nothing, but llama.cpp loads
it, lays out its chats and computes with it as with any other.
"""

import struct
from pathlib import Path

import numpy as np

_U32, _I32, _F32, _STRING, _ARRAY = 4, 5, 6, 8, 9
_TYPES = {int: _U32, float: _F32, str: _STRING}
_NORMAL, _CONTROL = 1, 3
_WIDTH, _HIDDEN = 32, 64

CHATML = "{% for m in messages %}<|im_start|>{{m.role}}\n{{m.content}}<|im_end|>\n{% endfor %}"


def write_tiny_model(
    path: Path,
    *,
    words: tuple[str, ...] = ("yes", "no"),
    likes: bytes = b"",
    shuns: bytes = b"",
    template: str = CHATML,
) -> Path:
    """Write it.

    Args:
        path: The file.
        words: Those that are a token each, besides single bytes.
        likes: Bytes that it writes wherever a grammar lets it.
        shuns: Bytes that it writes only where a grammar has nothing else.
        template: Its chat layout.
    """
    tokens, merges = [*_byte_letters()], []
    for word in words:
        for end in range(2, len(word) + 1):
            merges.append(f"{word[: end - 1]} {word[end - 1]}")
            tokens.append(word[:end])
    tokens += ["<|im_start|>", "<|im_end|>"]
    kinds = [_NORMAL] * (len(tokens) - 2) + [_CONTROL] * 2
    meta = {
        "general.architecture": "llama",
        "llama.context_length": 8192,
        "llama.embedding_length": _WIDTH,
        "llama.block_count": 1,
        "llama.feed_forward_length": _HIDDEN,
        "llama.attention.head_count": 2,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": 16,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.eos_token_id": len(tokens) - 1,
        "tokenizer.chat_template": template,
    }
    weights = _weights(len(tokens))
    if likes or shuns:
        _lean(weights, likes, shuns)
    path.write_bytes(_file(meta, weights))
    return path


def _byte_letters() -> list[str]:
    """A printable letter for every byte, as GPT-2's tokenizer has them."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letter = {byte: chr(byte) for byte in plain}
    letter |= {byte: chr(256 + place) for place, byte in enumerate(others)}
    return [letter[byte] for byte in range(256)]


def _weights(tokens: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return random.normal(0, 0.3, (rows, columns)).astype(np.float32)

    block = {f"attn_{name}": matrix(_WIDTH, _WIDTH) for name in ("q", "k", "v", "output")}
    block |= {"ffn_gate": matrix(_HIDDEN, _WIDTH), "ffn_up": matrix(_HIDDEN, _WIDTH)}
    block |= {"ffn_down": matrix(_WIDTH, _HIDDEN)}
    block |= {name: np.ones(_WIDTH, np.float32) for name in ("attn_norm", "ffn_norm")}
    return {
        "token_embd.weight": matrix(tokens, _WIDTH),
        **{f"blk.0.{name}.weight": values for name, values in block.items()},
        "output_norm.weight": np.ones(_WIDTH, np.float32),
        "output.weight": matrix(tokens, _WIDTH),
    }


def _lean(weights: dict[str, np.ndarray], likes: bytes, shuns: bytes) -> None:
    """Make one feature the same for every text, and the logits of some bytes hang on it alone."""
    for name in ("attn_output", "ffn_down"):
        weights[f"blk.0.{name}.weight"][0] = 0
    weights["token_embd.weight"][:, 0] = 3
    for some, leaning in ((likes, 100), (shuns, -100)):
        # A byte's token has its number.
        weights["output.weight"][list(some), 0] = leaning


def _file(meta: dict, weights: dict[str, np.ndarray]) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", 3, len(weights), len(meta))
    head += b"".join(_text(key) + _typed(value) for key, value in meta.items())
    body = b""
    for name, values in weights.items():
        shape = values.shape[::-1]
        head += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(body))
        body += _padded(values.tobytes())
    return _padded(head) + body


def _typed(value: object) -> bytes:
    if isinstance(value, list):
        kind = _I32 if isinstance(value[0], int) else _STRING
        return struct.pack("<IIQ", _ARRAY, kind, len(value)) + b"".join(map(_plain, value))
    return struct.pack("<I", _TYPES[type(value)]) + _plain(value)


def _plain(value: object) -> bytes:
    if isinstance(value, str):
        return _text(value)
    return struct.pack("<f" if isinstance(value, float) else "<I", value)


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 32)
