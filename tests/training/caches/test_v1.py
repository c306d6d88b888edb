import hashlib
import json
import struct
import subprocess
import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from novic.embedder import TokenIds
from novic.tokenizers import tokenizer_for
from novic.tokens import build_noun_tokens
from tests.training.hashed import HashedEmbedder
from training.batches import Batch
from training.caches.cache import CacheError, Flags
from training.caches.reader import check_embedder
from training.caches.v1 import CacheV1, V1Header, V1Targets
from training.caches.v1_check import v1_faults
from training.caches.v1_writing import (
    embedder_hash,
    is_of_hash,
    json_hash,
    target_configuration,
    v1_targets,
    write_v1,
)

PARITY = Path(__file__).parents[2] / "data" / "parity"

MAGIC = bytes.fromhex("a9fd4b142a9ab8136d1537cae82bef824219db4ab893b226a01a3de4ad52b199")
NOUNS = ("ant", "bee", "bumblebee")
TOKENS = [[0, 0, 0], [4, 0, 0], [5, 0, 0], [6, 5, 0]]
MASKS = [[1, 1, 1], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
IDS = [[1, 0], [3, 1], [2, 3], [2, 0], [1, 2]]
WEIGHTS = [[1.0, 0.0], [0.5, 0.5], [0.75, 0.25], [1.0, 0.0], [0.5, 0.5]]
VECTORS = [[0.6, 0.8, 0.0], [0.0, 0.6, 0.8], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.8, 0.0, 0.6]]


def by_hand(**changed: object) -> bytes:
    """A file put together byte by byte from the table of novic_spec §3.2."""
    strings = b"\0ant\0bee\0bumblebee"
    fields = {
        "magic": MAGIC,
        "version": 1,
        "use_targets": 1,
        "full_targets": 0,
        "default_weights": 0,
        "unit_weights": 1,
        "strict": 1,
        "embedder": b"\x11" * 32,
        "target": b"\x22" * 32,
        "R": 4,
        "string_bytes": len(strings),
        "C": 3,
        "token_dtype": 3,
        "mask_dtype": 0,
        "N": 5,
        "M": 2,
        "id_dtype": 2,
        "F": 3,
        "vector_dtype": 2,
        **changed,
    }
    head = struct.pack("<32sBBBBBB32s32s", *list(fields.values())[:9])
    head += struct.pack("<IIHHHIHHHH", *list(fields.values())[9:])
    assert len(head) == 128
    return b"".join(
        [
            head,
            strings,
            *(struct.pack("<3q", *row) for row in TOKENS),
            *(struct.pack("3B", *row) for row in MASKS),
            *(struct.pack("<2i", *row) for row in IDS),
            *(struct.pack("<2f", *row) for row in WEIGHTS),
            *(struct.pack("<3f", *row) for row in VECTORS),
        ]
    )


def opened(tmp_path: Path, content: bytes) -> CacheV1:
    file = tmp_path / "cache.bin"
    file.write_bytes(content)
    return CacheV1(file)


def header(**changed: object) -> V1Header:
    made = V1Header(
        use_targets=True,
        flags=Flags(full_targets=False, default_weights=False, unit_weights=True),
        strict=True,
        embedder_hash=b"\x11" * 32,
        target_hash=b"\x22" * 32,
        strings=4,
        strings_bytes=18,
        token_dim=3,
        token_dtype=3,
        vectors=5,
        targets=2,
        width=3,
    )
    return replace(made, **changed)


def targets() -> V1Targets:
    tokens, masks = np.array(TOKENS), np.array(MASKS, dtype=bool)
    return V1Targets(NOUNS, tokens, masks, b"\x22" * 32)


def rows(first: int = 0, last: int = 5):
    ids = np.array(IDS[first:last], dtype=np.int32)
    weights = np.array(WEIGHTS[first:last], dtype=np.float32)
    return ids, weights, np.array(VECTORS[first:last], dtype=np.float32)


def test_a_file_made_by_hand_is_read(tmp_path: Path):
    cache = opened(tmp_path, by_hand())
    assert cache.nouns == NOUNS
    assert (len(cache), cache.max_targets, cache.width) == (5, 2, 3)
    assert cache.flags == Flags(full_targets=False, default_weights=False, unit_weights=True)
    assert cache.header.embedder_hash == b"\x11" * 32
    table = cache.table()
    assert table.targets.tolist() == [[0, -1], [2, 0], [1, 2], [1, -1], [0, 1]]
    assert table.weights.tolist() == WEIGHTS
    np.testing.assert_array_equal(
        cache.vectors(np.array([4, 0])), np.array([VECTORS[4], VECTORS[0]], dtype=np.float32)
    )
    own = cache.targets()
    assert own is not None
    assert own.tokens.tolist() == TOKENS
    assert own.masks.tolist() == np.array(MASKS, dtype=bool).tolist()
    assert list(v1_faults(cache)) == []


def test_written_bytes_are_those_made_by_hand(tmp_path: Path):
    file = tmp_path / "cache.bin"
    write_v1(file, header(), targets(), [rows(0, 2), rows(2, 5)])
    assert file.read_bytes() == by_hand()
    assert [entry.name for entry in tmp_path.iterdir()] == ["cache.bin"]


def test_blocks_are_not_aligned(tmp_path: Path):
    cache = opened(tmp_path, by_hand())
    blocks = cache.header.blocks()
    assert blocks["tokens"].offset == 128 + 18
    assert blocks["vectors"].offset % 4 != 0
    assert blocks["vectors"].end == cache.header.size() == len(by_hand())


def test_a_file_without_targets(tmp_path: Path):
    file = tmp_path / "images.bin"
    none = Flags(full_targets=False, default_weights=False, unit_weights=False)
    sizes = {"strings": 0, "strings_bytes": 0, "token_dim": 0, "token_dtype": 0, "targets": 0}
    empty = np.zeros((5, 0), dtype=np.int32), np.zeros((5, 0), dtype=np.float32), rows()[2]
    write_v1(file, header(use_targets=False, flags=none, **sizes), None, [empty])
    assert file.stat().st_size == 128 + 5 * 3 * 4
    assert file.read_bytes()[33:37] == bytes(4)
    cache = CacheV1(file)
    assert cache.nouns == ()
    np.testing.assert_array_equal(cache.vectors(np.arange(5)), rows()[2])
    assert list(v1_faults(cache)) == []
    with pytest.raises(CacheError, match="holds no targets, so nothing can be trained on it"):
        next(cache.batches(2, seed=0, epoch=0))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (by_hand()[:-1], r"has 393 bytes, but its header speaks of 394; it was cut off"),
        (by_hand() + b"\0", "has 395 bytes"),
        (by_hand()[:100], "has 100 bytes, too few for a version-1 cache"),
        (bytes(32) + by_hand()[32:], "was not written to its end"),
        (b"PK" + by_hand()[2:], "not an embedding cache"),
        (by_hand(version=2), "cache version 2; only version 1 is known"),
        (by_hand(vector_dtype=9), "its header is damaged"),
        (by_hand(mask_dtype=1), "its header is damaged"),
        (by_hand(M=0), "its header is damaged"),
        (by_hand().replace(b"\0ant", b"\0bee"), "must be an empty one and 3 distinct others"),
        (by_hand().replace(b"\0ant", b"xant"), "its target strings are damaged"),
        (by_hand().replace(b"\0ant", b"\0\xff\xfft"), "its target strings are damaged"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, fault: str):
    with pytest.raises(CacheError, match=fault):
        opened(tmp_path, content)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(CacheError, match="cannot be read: No such file"):
        CacheV1(tmp_path / "none.bin")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (struct.pack("<3f", *VECTORS[2]), struct.pack("<3f", 0, float("nan"), 0), "vector 2 is no"),
        (struct.pack("<2i", *IDS[2]), struct.pack("<2i", 2, 4), r"sample 2 has target ids \[2, 4"),
        (struct.pack("<2i", *IDS[2]), struct.pack("<2i", 0, 3), r"sample 2 has target ids \[0, 3"),
    ],
)
def test_damaged_samples_are_refused_and_found(tmp_path: Path, old: bytes, new: bytes, fault: str):
    cache = opened(tmp_path, by_hand().replace(old, new))
    with pytest.raises(CacheError, match=fault):
        list(cache.batches(5, seed=0, epoch=0))
    assert list(v1_faults(cache))


def test_checking_lists_every_fault(tmp_path: Path):
    content = by_hand(full_targets=1)
    content = content.replace(struct.pack("<3f", *VECTORS[0]), struct.pack("<3f", 0.6, 0.7, 0), 1)
    content = content.replace(struct.pack("<2f", *WEIGHTS[2]), struct.pack("<2f", 0.25, 0.5))
    found = "\n".join(v1_faults(opened(tmp_path, content)))
    assert "vector 0 has length 0.9219545 instead of 1" in found
    assert "sample 2 has weights that grow" in found
    assert "sample 2 has weights that do not sum to 1" in found
    assert "sample 3 has fewer targets than the header's full_targets says" in found


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_float_types_are_read(tmp_path: Path, dtype: str):
    def packed(values: list[list[float]]) -> bytes:
        table = torch.tensor(values, dtype=getattr(torch, dtype))
        return table.view(torch.uint8).numpy().tobytes()

    number = {"float16": 0, "bfloat16": 1, "float64": 3}[dtype]
    content = by_hand(vector_dtype=number)[: -5 * (2 + 3) * 4] + packed(WEIGHTS) + packed(VECTORS)
    cache = opened(tmp_path, content)
    np.testing.assert_allclose(cache.vectors(np.arange(5)), VECTORS, atol=4e-3)
    assert cache.table().weights.tolist() == WEIGHTS


def many(tmp_path: Path, count: int) -> CacheV1:
    """A file whose sample n has target id 1 + n % 3 and says n in its vector's direction."""
    angle = 0.01 * np.arange(count)
    vectors = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1).astype(np.float32)
    ids = np.stack([1 + np.arange(count) % 3, np.zeros(count)], axis=1).astype(np.int32)
    weights = np.tile(np.array([1, 0], dtype=np.float32), (count, 1))
    file = tmp_path / "many.bin"
    write_v1(file, header(vectors=count), targets(), [(ids, weights, vectors)])
    return CacheV1(file)


def numbers(batch: Batch) -> list[int]:
    angle = torch.atan2(batch.vectors[:, 1], batch.vectors[:, 0])
    return (angle / 0.01).round().int().tolist()


def test_batches_are_slices_that_begin_anywhere_and_wrap(tmp_path: Path):
    cache = many(tmp_path, 103)
    seen = [numbers(batch) for batch in cache.batches(10, seed=1, epoch=0)]
    assert len(seen) == 10
    for slice_ in seen:
        assert slice_ == [(slice_[0] + step) % 103 for step in range(10)]
    everything = sorted(chain.from_iterable(seen))
    assert len(set(everything)) == 100
    assert [first[0] for first in seen] != sorted(first[0] for first in seen)
    assert any(slice_[-1] < slice_[0] for e in range(20) for slice_ in epoch(cache, e))


def epoch(cache: CacheV1, number: int) -> list[list[int]]:
    return [numbers(batch) for batch in cache.batches(10, seed=1, epoch=number)]


def test_the_order_is_that_of_the_seed_and_the_epoch(tmp_path: Path):
    cache = many(tmp_path, 103)
    assert epoch(cache, 3) == epoch(cache, 3)
    assert epoch(cache, 3) != epoch(cache, 4)
    later = [numbers(batch) for batch in cache.batches(10, seed=1, epoch=3, first=4)]
    assert later == epoch(cache, 3)[4:]
    assert list(cache.batches(10, seed=1, epoch=3, first=10)) == []


def test_targets_fit_their_vectors(tmp_path: Path):
    for batch in many(tmp_path, 50).batches(7, seed=0, epoch=0):
        assert batch.targets.dtype == torch.int64
        assert batch.targets.tolist() == [[number % 3, -1] for number in numbers(batch)]
        assert batch.weights.tolist() == [[1, 0]] * 7


def test_noise_may_be_added_in_place(tmp_path: Path):
    cache = many(tmp_path, 20)
    before = cache.path.read_bytes()
    for batch in cache.batches(5, seed=0, epoch=0):
        batch.vectors.add_(1)
        batch.targets.zero_()
    assert cache.path.read_bytes() == before


def test_too_few_rows_leave_nothing(tmp_path: Path):
    file = tmp_path / "cache.bin"
    with pytest.raises(CacheError, match="2 samples came for a cache of 5"):
        write_v1(file, header(), targets(), [rows(0, 2)])
    with pytest.raises(CacheError, match="do not fit"):
        write_v1(file, header(), targets(), [rows(), rows()])

    def broken():
        yield rows(0, 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_v1(file, header(), targets(), broken())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_before_the_work(tmp_path: Path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.small_files import small_files\n"
        "from tests.training.caches.test_v1 import header, rows, targets\n"
        "from training.caches.cache import CacheError\n"
        "from training.caches.v1_writing import write_v1\n"
        "def never():\n"
        "    sys.exit('work began')\n"
        "    yield rows()\n"
        "try:\n"
        "    with small_files(300):\n"
        "        write_v1(Path(sys.argv[1]), header(), targets(), never())\n"
        "except CacheError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache.bin")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "cannot be written: File too large; make room" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_embedder_hash_is_of_compact_sorted_json():
    identity = {
        "amp_dtype": "torch.float16",
        "model_id": "timm/ViT-B-16-SigLIP",
        "model_config": {"width": 768, "cfg": {"b": True, "a": None}},
        "class": "OpenCLIPEmbedder",
        "device_type": "cuda",
        "of_no_interest": 1,
    }
    text = (
        '{"amp_dtype":"torch.float16","class":"OpenCLIPEmbedder","device_type":"cuda",'
        '"model_config":{"cfg":{"a":null,"b":true},"width":768},"model_id":"timm/ViT-B-16-SigLIP"}'
    )
    expected = hashlib.sha256(text.encode()).digest()
    assert embedder_hash(identity) == expected
    assert is_of_hash(expected, {**identity, "device_type": "cpu", "amp_dtype": "None"})
    assert not is_of_hash(expected, {**identity, "model_id": "timm/ViT-SO400M-14-SigLIP"})


def test_the_token_hash_is_that_of_a_checkpoint_of_upstream():
    """Built from the genuine checkpoint's own tensors on one side, from its nouns on the other."""
    checkpoint = torch.load(PARITY / "small.train", weights_only=True)
    known = checkpoint["target_config"]
    plain = {
        key: value.tolist()
        if isinstance(value, torch.Tensor)
        else str(value)
        if isinstance(value, torch.dtype)
        else value
        for key, value in known.items()
        if key != "fixed_token_length"
    }
    nouns = checkpoint["target_nouns"][1:]
    encode = tokenizer_for(checkpoint["cfg_flat"]["embedder_spec"], 49_408).encode
    tokens = build_noun_tokens(nouns, encode, 49_407)
    ids = TokenIds(vocabulary=49_408, start=49_406, end=49_407, pad=49_407)
    configuration = target_configuration(tokens, ids, "torch.int64")
    assert configuration == {"target_config": plain}
    text = json.dumps({"target_config": plain}, separators=(",", ":"), sort_keys=True)
    assert json_hash(configuration) == hashlib.sha256(text.encode()).digest()


def test_tokens_of_a_spelling_tokenizer():
    made = v1_targets(("ab", "c"), HashedEmbedder())
    assert made.strings() == b"\0ab\0c"
    assert made.tokens.dtype == np.dtype("<i8")
    assert made.tokens.tolist() == [[0, 0, 0], [1, 2, 0], [3, 0, 0]]
    assert made.masks.tolist() == [[True] * 3, [False] * 3, [False, False, True]]


def of_hashed(tmp_path: Path, **changed: object) -> CacheV1:
    embedder = HashedEmbedder(width=3)
    own = v1_targets(("ant", "bee", "bumblebee"), embedder)
    hash_ = embedder_hash(embedder.identity())
    sizes = {"token_dim": own.tokens.shape[1], "embedder_hash": hash_, "target_hash": own.hash}
    file = tmp_path / "hashed.bin"
    write_v1(file, header(**{**sizes, **changed}), own, [rows()])
    return CacheV1(file)


def test_the_embedder_that_made_a_file_is_accepted(tmp_path: Path):
    check_embedder(of_hashed(tmp_path), HashedEmbedder(width=3))


def test_another_embedder_is_refused_unless_trusted(tmp_path: Path):
    other = HashedEmbedder(width=3, model="other")
    cache = of_hashed(tmp_path)
    mine = cache.header.embedder_hash.hex()[:16]
    with pytest.raises(CacheError, match=rf"one of hash {mine}… and 'hashed', whose hash is"):
        check_embedder(cache, other)
    check_embedder(cache, other, trust=True)
    check_embedder(of_hashed(tmp_path, strict=False), other)
    with pytest.raises(CacheError, match="have 3 components, those of 'hashed' 4"):
        check_embedder(cache, HashedEmbedder(width=4), trust=True)


def test_another_tokenizer_is_refused(tmp_path: Path):
    cache = of_hashed(tmp_path, target_hash=b"\x22" * 32)
    with pytest.raises(CacheError, match="its nouns have the token hash 2222222222222222…, by"):
        check_embedder(cache, HashedEmbedder(width=3))


@pytest.mark.parametrize("trust", [False, True])
def test_another_target_list_is_told(tmp_path: Path, *, trust: bool):
    cache, embedder = of_hashed(tmp_path), HashedEmbedder(width=3)
    check_embedder(cache, embedder, NOUNS, trust=trust)
    with pytest.raises(CacheError, match="has 3 target nouns instead of 1"):
        check_embedder(cache, embedder, ["ant"], trust=trust)
    with pytest.raises(CacheError, match="target noun 1 is 'bee' instead of 'wasp'"):
        check_embedder(cache, embedder, ["ant", "wasp", "bumblebee"], trust=trust)


@given(
    nouns=st.lists(st.text("abé 1", min_size=1, max_size=9), min_size=1, max_size=6, unique=True),
    samples=st.integers(1, 9),
    most=st.integers(1, 4),
    width=st.integers(1, 5),
)
def test_any_file_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    nouns: list[str],
    samples: int,
    most: int,
    width: int,
):
    chance = np.random.default_rng(0)
    own = v1_targets(nouns, HashedEmbedder())
    ids = chance.integers(1, len(nouns) + 1, (samples, most)).astype(np.int32)
    weights = np.full((samples, most), 1 / most, dtype=np.float32)
    vectors = chance.standard_normal((samples, width)).astype(np.float32)
    made = header(
        strings=len(nouns) + 1,
        strings_bytes=len(own.strings()),
        token_dim=own.tokens.shape[1],
        vectors=samples,
        targets=most,
        width=width,
    )
    file = tmp_path_factory.mktemp("any") / "cache.bin"
    write_v1(file, made, own, [(ids, weights, vectors)])
    cache = CacheV1(file)
    assert cache.header == made
    assert cache.nouns == tuple(nouns)
    np.testing.assert_array_equal(cache.table().targets, ids - 1)
    np.testing.assert_array_equal(cache.vectors(np.arange(samples)), vectors)
