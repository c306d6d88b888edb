import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.training.cache_builders import make_cache, quiet, some_captions
from tests.training.hashed import HashedEmbedder
from training.batches import Batch
from training.caches.cache import CacheError, EmbeddingCache, write_shard
from training.caches.reader import CachedSamples, check_embedder, open_cache, open_samples
from training.caches.report import cache_faults, cache_info
from training.caches.shards import VectorKind, pack_vectors, unpack_vectors
from training.texts.samples import Caption

Sample = tuple[bytes, tuple[int, ...], tuple[float, ...]]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.caches.embedding.SHARD_TEXTS", 8)


def samples_of(batches: list[Batch]) -> list[Sample]:
    return [
        (vector.numpy().tobytes(), tuple(targets.tolist()), tuple(weights.tolist()))
        for batch in batches
        for vector, targets, weights in zip(
            batch.vectors, batch.targets, batch.weights, strict=True
        )
    ]


def expected_samples(captions: list[Caption]) -> Counter[Sample]:
    embedder, found = HashedEmbedder(), Counter[Sample]()
    for caption in captions:
        vector = embedder.embed_texts([caption.text])[0].tobytes()
        m = len(caption.targets)
        targets = (*caption.targets, *[-1] * (3 - m))
        weights = tuple(np.array([*[1 / m] * m, *[0] * (3 - m)], dtype=np.float32).tolist())
        found[vector, targets, weights] += caption.count
    return found


@pytest.mark.usefixtures("small_shards")
def test_an_epoch_holds_every_sample_as_often_as_it_counts(tmp_path: Path):
    captions = some_captions()
    cache = make_cache(tmp_path / "cache", captions)
    assert len(cache.shards) == 8
    assert len(cache) == sum(caption.count for caption in captions) == 180
    samples = CachedSamples(cache, window_bytes=3000)
    batches = list(samples.batches(9, seed=0, epoch=0))
    assert [len(batch.vectors) for batch in batches] == [9] * 20
    assert Counter(samples_of(batches)) == expected_samples(captions)
    short = list(samples.batches(50, seed=0, epoch=0))
    assert [len(batch.vectors) for batch in short] == [50] * 3
    assert not Counter(samples_of(short)) - expected_samples(captions)


@pytest.mark.usefixtures("small_shards")
def test_the_order_is_that_of_the_seed_and_the_epoch(tmp_path: Path):
    samples = CachedSamples(make_cache(tmp_path / "cache", some_captions()), window_bytes=3000)

    def order(seed: int, epoch: int, first: int = 0) -> list[Sample]:
        return samples_of(list(samples.batches(7, seed=seed, epoch=epoch, first=first)))

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(1, 3)
    assert order(1, 2) != order(2, 2)
    for first in range(26):
        assert order(1, 2, first) == order(1, 2)[7 * first :]


@pytest.mark.usefixtures("small_shards")
def test_skipped_batches_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache = make_cache(tmp_path / "cache", some_captions())
    samples = CachedSamples(cache, window_bytes=1)
    read: list[int] = []
    original = EmbeddingCache.map_shard

    def counted(self: EmbeddingCache, number: int, *, check: bool):
        read.append(number)
        return original(self, number, check=check)

    monkeypatch.setattr(EmbeddingCache, "map_shard", counted)
    list(samples.batches(10, seed=0, epoch=0))
    assert len(read) == 8
    read.clear()
    list(samples.batches(10, seed=0, epoch=0, first=17))
    assert len(read) == 1


@pytest.mark.usefixtures("small_shards")
def test_repeats_of_a_text_are_spread(tmp_path: Path):
    captions = [Caption(f"text {n}.", (0,), 40) for n in range(40)]
    samples = CachedSamples(make_cache(tmp_path / "cache", captions))
    order = [sample[0] for sample in samples_of(list(samples.batches(1600, seed=0, epoch=0)))]
    assert sum(a == b for a, b in pairwise(order)) < 80
    assert 25 < len(set(order[:80])) <= 40


def test_one_text_with_two_meanings_is_stored_once(tmp_path: Path):
    captions = [Caption("a bass.", (0,), 2), Caption("a bass.", (1,), 3), Caption("a cat.", (3,))]
    cache = make_cache(tmp_path / "cache", captions)
    assert (cache.card["texts"], cache.card["entries"], len(cache)) == (2, 3, 6)
    table = cache.table()
    bass = int(table.rows[table.targets[:, 0] == 0][0])
    assert table.rows[table.targets[:, 0] == 1].tolist() == [bass]
    batch = next(CachedSamples(cache).batches(6, seed=0, epoch=0))
    assert sorted(batch.targets.flatten().tolist()) == [0, 0, 1, 1, 1, 3]


def test_texts_that_the_embedder_reads_alike_are_one(tmp_path: Path):
    embedder = HashedEmbedder()
    captions = [Caption("An SUV.", (0,), 2), Caption("an suv.", (0,)), Caption("an Suv.", (0,))]
    cache = make_cache(tmp_path / "cache", captions, embedder)
    assert (cache.card["texts"], cache.card["entries"], len(cache)) == (1, 1, 4)
    assert embedder.asked == ["An SUV."]


@pytest.mark.parametrize("kind", ["float16", "int8"])
def test_batches_are_unit_vectors_near_the_stored_ones(tmp_path: Path, kind: VectorKind):
    exact = make_cache(tmp_path / "exact", some_captions())
    rough = make_cache(tmp_path / "rough", some_captions(), kind=kind)
    one, other = (
        next(CachedSamples(cache).batches(180, seed=0, epoch=0)) for cache in (exact, rough)
    )
    assert other.vectors.dtype == one.vectors.dtype
    np.testing.assert_allclose(other.vectors.norm(dim=1), 1, atol=1e-6)
    assert (one.vectors * other.vectors).sum(dim=1).min() > 0.9999
    other.vectors.add_(1)


def angles(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Degrees between rows; exact for small angles, where the cosine is not."""
    gap = np.linalg.norm(one.astype(np.float64) - other.astype(np.float64), axis=1)
    return np.degrees(2 * np.arcsin(gap / 2))


@pytest.mark.parametrize("width", [384, 768, 1152])
@pytest.mark.parametrize(("kind", "most"), [("float32", 0), ("float16", 0.03), ("int8", 1.5)])
def test_rounding_turns_vectors_by_little(width: int, kind: VectorKind, most: float):
    rows = np.random.default_rng(0).standard_normal((2000, width))
    # As in real models, some components are much larger than the others.
    rows[:, :3] *= 3
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    turned = angles(vectors, unpack_vectors(pack_vectors(vectors, kind)))
    assert turned.max() <= most
    assert turned.mean() <= most / 2


def test_packing_again_changes_nothing():
    rows = np.random.default_rng(1).standard_normal((500, 200))
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    for kind in ("float32", "float16", "int8"):
        packed = pack_vectors(vectors, kind)
        np.testing.assert_array_equal(packed, pack_vectors(unpack_vectors(packed), kind))


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return make_cache(tmp_path / "cache", some_captions())


def change(file: Path, at: int = -5) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 0xFF
    file.write_bytes(content)


def test_a_changed_shard_is_refused_by_its_checksum(cache: EmbeddingCache):
    file = cache.path / cache.shards[0].file
    change(file)
    fault = (
        rf"{file.name}: its SHA-256 is [0-9a-f]{{16}}…, the card says {cache.shards[0].sha256[:16]}"
    )
    with pytest.raises(CacheError, match=fault):
        next(CachedSamples(cache).batches(2, seed=0, epoch=0))
    with pytest.raises(CacheError, match=fault):
        cache.vectors(np.array([0]))
    (found,) = cache_faults(cache.path, quiet)
    assert "its SHA-256 is" in found


def test_a_shard_that_was_cut_off_is_refused(cache: EmbeddingCache):
    file = cache.path / cache.shards[0].file
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(CacheError, match=r"bytes instead of \d+; it was cut off"):
        next(CachedSamples(cache).batches(2, seed=0, epoch=0))
    file.unlink()
    with pytest.raises(CacheError, match="cannot be read: No such file"):
        next(CachedSamples(cache).batches(2, seed=0, epoch=0))


def test_changed_nouns_are_refused(cache: EmbeddingCache):
    change(cache.path / "nouns.json", 6)
    with pytest.raises(CacheError, match=r"nouns.json: its SHA-256 is"):
        EmbeddingCache(cache.path)


def test_other_folders_and_versions_are_told(cache: EmbeddingCache, tmp_path: Path):
    with pytest.raises(CacheError, match="there is no such cache"):
        open_cache(tmp_path / "none")
    with pytest.raises(CacheError, match="no embedding cache here"):
        open_cache(tmp_path)
    card = cache.path / "cache.json"
    whole = card.read_text()
    card.write_text(whole.replace('"version": 1', '"version": 7'))
    with pytest.raises(CacheError, match="cache version 7, this Nomaly reads version 1"):
        open_cache(cache.path)
    card.write_text(whole[:-20])
    with pytest.raises(CacheError, match="cannot be read"):
        open_cache(cache.path)
    card.write_text(whole.replace('"width"', '"wide"'))
    with pytest.raises(CacheError, match="damaged: KeyError"):
        open_cache(cache.path)
    card.write_text('{"format": "other"}')
    with pytest.raises(CacheError, match="not a Nomaly embedding cache"):
        open_cache(cache.path)


def test_an_unfinished_cache_says_how_to_finish_it(cache: EmbeddingCache):
    (cache.path / "cache.json").unlink()
    (cache.path / "plan.json").write_text("{}")
    with pytest.raises(CacheError, match="not finished; run the command that began it again"):
        open_samples(cache.path)


def test_the_embedder_must_be_the_same_model(cache: EmbeddingCache):
    check_embedder(cache, HashedEmbedder())
    other = HashedEmbedder(model="other")
    with pytest.raises(CacheError, match="'hashed' and 'hashed' differ in model_id"):
        check_embedder(cache, other)
    check_embedder(cache, other, trust=True)
    with pytest.raises(CacheError, match="have 16 components, those of 'hashed' 8"):
        check_embedder(cache, HashedEmbedder(8), trust=True)


def test_checking_finds_what_checksums_do_not(cache: EmbeddingCache):
    """A writer with a bug makes good checksums of bad tables."""
    assert list(cache_faults(cache.path, quiet)) == []
    shard = cache.map_shard(0, check=True)
    vectors, row, count, targets = (
        np.array(table) for table in (shard.vectors, shard.row, shard.count, shard.targets)
    )
    vectors[3] = np.nan
    vectors[4] *= 2
    row[5], count[6], targets[7, 0], targets[8] = 99, 0, 44, [-1, 2, -1]
    bad = type(shard)(vectors, row, count, targets)
    record = write_shard(cache.path, "000-000", bad)
    card = json.loads((cache.path / "cache.json").read_text())
    card["shards"][0] |= {"sha256": record.sha256, "bytes": record.bytes}
    (cache.path / "cache.json").write_text(json.dumps(card))
    found = "\n".join(cache_faults(cache.path, quiet))
    for fault in (
        "vector 3 has length nan instead of 1",
        "vector 4 has length 2 instead of 1",
        "entry 5 names no vector of its shard",
        "entry 6 stands for no sample",
        "entry 7 has a target that is no noun",
        "entry 8 has a target behind an empty one",
        "entry 8 has no target",
        "samples, the card says 180",
    ):
        assert fault in found


def test_a_card_with_wrong_sizes_is_refused(cache: EmbeddingCache):
    card = json.loads((cache.path / "cache.json").read_text())
    card["shards"][0]["entries"] += 1
    (cache.path / "cache.json").write_text(json.dumps(card))
    with pytest.raises(CacheError, match="its tables have other sizes than the card"):
        EmbeddingCache(cache.path).shard(0)


def test_what_a_cache_tells(cache: EmbeddingCache):
    info = cache_info(cache.path)
    assert info["samples"] == 180
    assert info["texts"] == 60
    assert info["max_targets"] == 3
    assert info["bytes"] == sum(file.stat().st_size for file in cache.path.iterdir())
    assert info["share_of_v1"] == round(info["bytes"] / (180 * (64 + 24)), 4)


READ_IN_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np
from training.caches.reader import CachedSamples, open_cache

cache = open_cache(Path(sys.argv[1]))
source = CachedSamples(cache, window_bytes=2**21) if sys.argv[2] == "folder" else cache
list(source.batches(1024, seed=0, epoch=0, first=len(source) // 1024))  # Threads and modules.
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
allowed = 24 * 2**20
assert cache.bytes > 1.5 * allowed, cache.bytes
resource.setrlimit(resource.RLIMIT_AS, (used + allowed, used + allowed))
try:
    np.ones(cache.bytes, dtype=np.uint8)
    sys.exit("the limit does not hold")
except MemoryError:
    pass
total = sum(len(batch.vectors) for batch in source.batches(1024, seed=0, epoch=0))
print(total)
"""


@pytest.mark.parametrize("form", ["folder", "v1"])
def test_a_cache_larger_than_memory_is_read(tmp_path: Path, form: str):
    large = large_cache(tmp_path, form)
    command = [sys.executable, "-c", READ_IN_LITTLE_MEMORY, str(large), form]
    # Without it, glibc finds room in what it has reserved for other threads, beyond the limit.
    env = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(open_cache(large)) // 1024 * 1024


def large_cache(tmp_path: Path, form: str) -> Path:
    """A cache of more than 36 MiB."""
    from training.caches.joining import merge_caches
    from training.caches.output import Making

    embedder = HashedEmbedder(width=512)
    captions = (Caption(f"text {n}.", (n % 4,), 1 + n % 3) for n in range(300))
    small = make_cache(tmp_path / "small", captions, embedder)
    if form == "v1":
        out = tmp_path / "large.bin"
        merge_caches([small.path] * 32, Making(out, quiet, "v1"), lambda: embedder)
        return out
    shutil.copytree(small.path, tmp_path / "large")
    card = json.loads((small.path / "cache.json").read_text())
    original = card["shards"][0]
    content = (small.path / original["file"]).read_bytes()
    for number in range(1, 70):
        copied = {**original, "file": f"shard-{number:05d}.safetensors"}
        (tmp_path / "large" / copied["file"]).write_bytes(content)
        card["shards"].append(copied)
    (tmp_path / "large" / "cache.json").write_text(json.dumps(card))
    return tmp_path / "large"
