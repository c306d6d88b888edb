import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from novic.embedder import Vectors
from novic.errors import UsageError
from scenarios.dictionary import DictionaryError
from tests.small_files import small_files
from tests.training.cache_builders import make_cache, quiet, some_captions
from tests.training.hashed import HashedEmbedder
from training.caches.cache import CacheError, EmbeddingCache, Flags
from training.caches.embedding import Tell
from training.caches.joining import merge_caches
from training.caches.making import (
    CaptionSource,
    ClassSource,
    NounSource,
    cache_captions,
    cache_classes,
    cache_images,
    cache_nouns,
    class_targets,
)
from training.caches.output import CacheFormat, Making
from training.caches.reader import CachedSamples, maker_of, open_cache
from training.caches.report import cache_faults, cache_info
from training.caches.shards import VectorKind
from training.caches.v1 import CacheV1
from training.caches.v1_writing import embedder_hash, v1_targets
from training.texts.samples import Caption

ENTRIES = [
    ("ant", ["ant"], ["ants"], [3], [1]),
    ("bee", ["bee", "Bee"], [], [2, 1], []),
    ("suv", ["SUV", "S.U.V.", "suv"], ["SUVs"], [5, 5, 5], [2]),
]
PROMPTS = {"prompts": {"own": [[2, "a photo of {article_noun}"], [1, "many {plural}!"]]}}


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    entries = [
        {
            "id": number,
            "target_noun": noun,
            "pretty_noun": noun,
            "singulars": singulars,
            "plurals": plurals,
            "singulars_freq": singulars_freq,
            "plurals_freq": plurals_freq,
            "hypernyms": [],
        }
        for number, (noun, singulars, plurals, singulars_freq, plurals_freq) in enumerate(ENTRIES)
    ]
    path = tmp_path / "object_nouns.json"
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture
def nouns(dictionary: Path) -> NounSource:
    prompts = dictionary.with_name("prompts.json")
    prompts.write_text(json.dumps(PROMPTS))
    return NounSource(dictionary, prompts=prompts, collections="own")


def making(
    out: Path,
    tell: Tell = quiet,
    form: CacheFormat = "nomaly",
    vectors: VectorKind = "float32",
    *,
    seed: int = 0,
    overwrite: bool = False,
    command: str = "",
) -> Making:
    return Making(out, tell, form, vectors, seed, overwrite, command)


def every_sample(path: Path) -> Counter[tuple[bytes, tuple[int, ...]]]:
    """Vector and targets of every sample, repeats counted."""
    cache = open_cache(path)
    table = cache.table()
    found: Counter[tuple[bytes, tuple[int, ...]]] = Counter()
    vectors = cache.vectors(table.rows)
    for vector, count, targets in zip(vectors, table.counts, table.targets, strict=True):
        found[vector.tobytes(), tuple(int(t) for t in targets if t >= 0)] += int(count)
    return found


def expected(captions: list[Caption]) -> Counter[tuple[bytes, tuple[int, ...]]]:
    found: Counter[tuple[bytes, tuple[int, ...]]] = Counter()
    for caption in captions:
        vector = HashedEmbedder().embed_texts([caption.text])[0]
        found[vector.tobytes(), caption.targets] += caption.count
    return found


NOUN_CAPTIONS = [
    Caption("a photo of an ant.", (0,), 6),
    Caption("a photo of ants.", (0,), 2),
    Caption("many ants!.", (0,), 1),
    Caption("a photo of a bee.", (1,), 6),
    Caption("a photo of an SUV.", (2,), 10),
    Caption("a photo of a S.U.V..", (2,), 10),
    Caption("a photo of a suv.", (2,), 10),
    Caption("a photo of SUVs.", (2,), 4),
    Caption("many SUVs!.", (2,), 2),
]


def test_nouns_become_unique_texts_with_their_counts(nouns: NounSource, tmp_path: Path):
    embedder = HashedEmbedder()
    made = cache_nouns(
        nouns, lambda: embedder, making(tmp_path / "out", command="nomaly cache nouns")
    )
    assert made["samples"] == 51
    assert made["texts"] == len(embedder.asked) == len(set(embedder.asked))
    cache = EmbeddingCache(tmp_path / "out")
    assert cache.nouns == ("ant", "bee", "suv")
    assert cache.flags == Flags(full_targets=True, default_weights=True, unit_weights=True)
    assert sum(every_sample(tmp_path / "out").values()) == 51
    provenance = cache.card["provenance"]
    assert provenance["command"] == "nomaly cache nouns"
    assert provenance["dictionary"].endswith("object_nouns.json")
    assert set(provenance["versions"]) == {"python", "nomaly", "numpy", "torch"}
    assert cache.identity == embedder.identity()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "cache.json",
        "nouns.json",
        "shard-000-000.safetensors",
    ]


def test_both_formats_hold_the_same_samples(nouns: NounSource, tmp_path: Path):
    source = NounSource(nouns.dictionary, 0, nouns.prompts, "own", (1, 1, 1))
    cache_nouns(source, HashedEmbedder, making(tmp_path / "own"))
    made = cache_nouns(source, HashedEmbedder, making(tmp_path / "v1.bin", form="v1"))
    assert made["format"] == "v1"
    assert every_sample(tmp_path / "own") == every_sample(tmp_path / "v1.bin")
    cache = CacheV1(tmp_path / "v1.bin")
    assert len(cache) == 3 * 51
    assert cache.max_targets == 3
    assert cache.flags == Flags(full_targets=False, default_weights=True, unit_weights=True)
    assert cache.header.strict
    assert cache.header.embedder_hash == embedder_hash(HashedEmbedder().identity())
    assert cache.header.target_hash == v1_targets(cache.nouns, HashedEmbedder()).hash
    assert list(cache_faults(cache.path, quiet)) == []
    assert not (tmp_path / "v1.bin.parts").exists()


def test_a_version_1_file_is_shuffled_by_its_seed(nouns: NounSource, tmp_path: Path):
    files = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = making(tmp_path / name, form="v1", seed=seed)
        cache_nouns(nouns, HashedEmbedder, out)
        files.append(out.out.read_bytes())
    assert files[0] == files[1] != files[2]
    ids = CacheV1(tmp_path / "a").table().targets[:, 0]
    assert (np.diff(ids) != 0).sum() > 15


def test_a_finished_cache_is_not_replaced_unasked(nouns: NounSource, tmp_path: Path):
    for form in ("nomaly", "v1"):
        out = making(tmp_path / form, form=form)
        cache_nouns(nouns, HashedEmbedder, out)
        before = cache_info(out.out)
        with pytest.raises(UsageError, match="--overwrite"):
            cache_nouns(nouns, HashedEmbedder, out)
        assert cache_info(out.out) == before
        cache_nouns(nouns, HashedEmbedder, making(out.out, form=form, overwrite=True))


def test_other_peoples_files_are_left_alone(nouns: NounSource, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match=r"holds files that are no cache's \(thesis.txt"):
        cache_nouns(nouns, HashedEmbedder, making(tmp_path / "out", overwrite=True))
    with pytest.raises(UsageError, match="is a file; name a folder"):
        cache_nouns(nouns, HashedEmbedder, making(nouns.dictionary, overwrite=True))
    with pytest.raises(UsageError, match="is a folder; a version-1 cache is one file"):
        cache_nouns(nouns, HashedEmbedder, making(tmp_path / "out", form="v1", overwrite=True))
    assert (tmp_path / "out" / "thesis.txt").read_text() == "precious"


def test_a_broken_dictionary_is_told(nouns: NounSource, tmp_path: Path):
    nouns.dictionary.write_text(nouns.dictionary.read_text().replace('"id": 1', '"id": 0'))
    with pytest.raises(DictionaryError, match="is the id of entry 1 already"):
        cache_nouns(nouns, HashedEmbedder, making(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


class BrokenEmbedder(HashedEmbedder):
    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        vectors = super().embed_texts(texts)
        vectors[[text == "a photo of ants." for text in texts]] = np.nan
        return vectors


def test_a_vector_that_is_not_finite_names_its_text(nouns: NounSource, tmp_path: Path):
    with pytest.raises(CacheError, match=r"text 'a photo of ants.': embedder 'hashed' gave a vec"):
        cache_nouns(nouns, BrokenEmbedder, making(tmp_path / "out"))
    with pytest.raises(CacheError, match="not finished"):
        open_cache(tmp_path / "out")


def test_captions_that_cannot_be_are_told(tmp_path: Path):
    for caption in (Caption("x.", (9,)), Caption("x.", ()), Caption("x.", (0,), 0)):
        with pytest.raises(CacheError, match=r"caption 'x.': its"):
            make_cache(tmp_path / "out", [caption])
    with pytest.raises(CacheError, match="there are no captions to embed"):
        make_cache(tmp_path / "out", [])


KILLED = """
import os, signal, sys
from pathlib import Path
import training.caches.embedding, training.caches.spill
from tests.training.cache_builders import make_cache, some_captions

training.caches.embedding.SHARD_TEXTS = 16
training.caches.spill.TOGETHER = 64
told = 0

def tell(stage, done, total, note):
    global told
    told += stage == sys.argv[2]
    if told == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

make_cache(Path(sys.argv[1]), some_captions(300), kind="float16", tell=tell)
"""


def kill(out: Path, stage: str, at: int) -> None:
    """Make a cache in a process that is killed when a stage tells of itself again."""
    command = [sys.executable, "-c", KILLED, str(out), stage, str(at)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.caches.embedding.SHARD_TEXTS", 16)
    monkeypatch.setattr("training.caches.spill.TOGETHER", 64)


@pytest.mark.slow
@pytest.mark.usefixtures("small_steps")
def test_killed_twice_and_gone_on_gives_the_same_cache(tmp_path: Path):
    whole = make_cache(tmp_path / "whole", some_captions(300), kind="float16")
    killed = tmp_path / "killed"
    kill(killed, "Writing captions", 2)
    assert (killed / "spill").is_dir()
    assert not (killed / "spill" / "done.json").exists()
    kill(killed, "Embedding", 6)
    assert 4 <= len(list(killed.glob("shard-*.safetensors"))) <= 6
    with pytest.raises(CacheError, match="not finished"):
        open_cache(killed)
    embedder = HashedEmbedder()
    make_cache(killed, some_captions(300), embedder, "float16")
    assert 0 < len(embedder.asked) < len(whole.table().rows)
    assert contents(killed) == contents(whole.path)


def contents(folder: Path) -> dict[str, Any]:
    """All files of a cache; of the card what does not tell when and how it was made."""
    found: dict[str, Any] = {path.name: path.read_bytes() for path in folder.iterdir()}
    card = json.loads(found.pop("cache.json"))
    del card["provenance"]
    return {**found, "card": card}


@pytest.mark.usefixtures("small_steps")
def test_ctrl_c_keeps_shards_and_a_torn_journal_is_mended(nouns: NounSource, tmp_path: Path):
    source = NounSource(nouns.dictionary, 0, nouns.prompts, "own", (1, 2, 1))
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    cache_nouns(source, HashedEmbedder, making(whole))

    def stop(stage: str, done: int, total: int, note: str) -> None:
        assert total or stage != "Embedding"
        if stage == "Embedding" and done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache_nouns(source, HashedEmbedder, making(stopped, stop))
    journal = stopped / "journal.jsonl"
    lines = journal.read_text().splitlines()
    assert len(lines) >= 3
    journal.write_text("\n".join([*lines[:-1], lines[-1][:20]]))
    (stopped / json.loads(lines[0])["record"]["file"]).write_bytes(b"short")
    (stopped / "shard-000-000.safetensors.new").write_bytes(b"half")
    with pytest.raises(UsageError, match=r"another cache, which differs in seed \(0 before, 1 now"):
        cache_nouns(source, HashedEmbedder, making(stopped, seed=1))
    cache_nouns(source, HashedEmbedder, making(stopped))
    assert contents(stopped) == contents(whole)


@pytest.mark.usefixtures("small_steps")
def test_a_full_disk_is_told_and_the_same_command_goes_on(nouns: NounSource, tmp_path: Path):
    source = NounSource(nouns.dictionary, 0, nouns.prompts, "own", (1, 2, 1))
    whole, full = tmp_path / "whole", tmp_path / "full"
    cache_nouns(source, lambda: HashedEmbedder(256), making(whole))

    too_large = r"shard-.*cannot be written: File too large; make ro"
    with ExitStack() as filling:

        def no_room(stage: str, done: int, total: int, note: str) -> None:
            if stage == "Embedding" and done > total / 2:
                filling.enter_context(small_files(8192))

        with pytest.raises(CacheError, match=too_large):
            cache_nouns(source, lambda: HashedEmbedder(256), making(full, no_room))
    assert not list(full.glob("*.new"))
    embedder = HashedEmbedder(256)
    cache_nouns(source, lambda: embedder, making(full))
    assert len(embedder.asked) < EmbeddingCache(whole).card["texts"]
    assert contents(full) == contents(whole)


@pytest.mark.usefixtures("small_steps")
def test_a_version_1_file_goes_on_after_a_kill(nouns: NounSource, tmp_path: Path):
    source = NounSource(nouns.dictionary, 0, nouns.prompts, "own", (1, 2, 1))
    whole, stopped = tmp_path / "whole.bin", tmp_path / "stopped.bin"
    cache_nouns(source, HashedEmbedder, making(whole, form="v1"))

    def stop_writing(stage: str, done: int, total: int, note: str) -> None:
        if stage == "Writing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache_nouns(source, HashedEmbedder, making(stopped, stop_writing, "v1"))
    assert not stopped.exists()
    embedder = HashedEmbedder()
    cache_nouns(source, lambda: embedder, making(stopped, form="v1"))
    assert embedder.asked == []
    assert stopped.read_bytes() == whole.read_bytes()


def test_captions_of_a_language_model(dictionary: Path, tmp_path: Path):
    captions = tmp_path / "captions.json"
    written = [
        {
            "target_noun": "ant",
            "singular_captions": ["the {singular} walks", "one {singular}"],
            "plural_captions": ["{plural} everywhere"],
        }
    ]
    captions.write_text(json.dumps(written))
    source = CaptionSource(captions, dictionary)
    made = cache_captions(source, HashedEmbedder, making(tmp_path / "out"))
    assert made["nouns_without_captions"] == 2
    assert every_sample(tmp_path / "out") == expected(
        [
            Caption("the ant walks.", (0,), 30),
            Caption("one ant.", (0,), 30),
            Caption("ants everywhere.", (0,), 20),
        ]
    )


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    for number in range(6):
        place = folder / ("cab, taxi" if number % 2 else "ant")
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (40 * number, 0, 0)).save(place / f"{number}.png")
    (folder / "ant" / "broken.jpg").write_text("not a picture")
    (folder / "ant" / "notes.txt").write_text("no picture at all")
    return folder


def test_images_have_no_targets_and_broken_ones_are_listed(pictures: Path, tmp_path: Path):
    made = cache_images(pictures, HashedEmbedder, making(tmp_path / "out"))
    assert made["samples"] == 6
    assert made["skipped"] == [["ant/broken.jpg", "is not an image that can be read"]]
    assert cache_info(tmp_path / "out")["skipped"] == made["skipped"]
    red = [np.full((8, 8, 3), (40 * n, 0, 0), dtype=np.uint8) for n in range(6)]
    vectors = {vector.tobytes() for vector in HashedEmbedder().embed_images(red)}
    assert {vector for vector, _ in every_sample(tmp_path / "out")} == vectors
    assert list(cache_faults(tmp_path / "out", quiet)) == []
    cache_images(pictures, HashedEmbedder, making(tmp_path / "v1.bin", form="v1"))
    assert (tmp_path / "v1.bin").stat().st_size == 128 + 6 * 16 * 4
    assert every_sample(tmp_path / "v1.bin") == every_sample(tmp_path / "out")


def test_no_images_is_a_usage_error(pictures: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="holds no images"):
        cache_images(tmp_path / "none", HashedEmbedder, making(tmp_path / "out"))
    for file in pictures.rglob("*.png"):
        file.unlink()
    with pytest.raises(CacheError, match="nothing could be embedded"):
        cache_images(pictures, HashedEmbedder, making(tmp_path / "out"))


def test_classes_give_all_their_nouns_as_targets(pictures: Path, tmp_path: Path):
    made = cache_classes(ClassSource(pictures), HashedEmbedder, making(tmp_path / "out"))
    assert made["classes_without_noun"] == []
    cache = EmbeddingCache(tmp_path / "out")
    assert cache.nouns == ("ant", "cab", "taxi")
    assert cache.flags == Flags(full_targets=False, default_weights=True, unit_weights=True)
    targets = Counter(targets for _, targets in every_sample(tmp_path / "out").elements())
    assert targets == {(0,): 3, (1, 2): 3}
    batch = next(CachedSamples(cache).batches(6, seed=0, epoch=0))
    assert sorted(batch.weights.tolist()) == [[0.5, 0.5]] * 3 + [[1, 0]] * 3


def test_classes_that_a_dictionary_lacks_are_left_out(
    pictures: Path, dictionary: Path, tmp_path: Path
):
    source = ClassSource(pictures, dictionary=dictionary)
    made = cache_classes(source, HashedEmbedder, making(tmp_path / "out"))
    assert made["classes_without_noun"] == ["cab, taxi"]
    assert (made["samples"], made["nouns"]) == (3, 3)


def test_synonyms_are_spelt_canonically():
    nouns, targets = class_targets(["T-Shirt, tee shirt", "jersey, T-shirt , "], None, 0)
    assert nouns == ("jersey", "t shirt", "tee shirt")
    assert targets == [(1, 2), (0, 1)]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """A cache with up to three targets and one with a single one."""
    one = make_cache(tmp_path / "one", some_captions())
    singles = [Caption(f"single {n}.", (n % 4,)) for n in range(30)]
    return one.path, make_cache(tmp_path / "other", singles).path


@pytest.mark.parametrize("form", ["nomaly", "v1"])
def test_merging_counts_repeated_inputs(two: tuple[Path, Path], tmp_path: Path, form: CacheFormat):
    one, other = two
    out = tmp_path / "merged"
    made = merge_caches([one, other, other, one, other], making(out, form=form), HashedEmbedder)
    assert made["samples"] == 2 * 180 + 3 * 30
    singles, triples = every_sample(other), every_sample(one)
    wanted: Counter[Any] = Counter()
    for times, part in ((2, triples), (3, singles)):
        for sample, count in part.items():
            wanted[sample] += times * count
    assert every_sample(out) == wanted
    assert open_cache(out).flags == Flags(
        full_targets=False, default_weights=False, unit_weights=True
    )
    assert list(cache_faults(out, quiet)) == []


def test_a_smaller_m_cuts_targets_and_leaves_weights(two: tuple[Path, Path], tmp_path: Path):
    merge_caches(list(two), making(tmp_path / "out"), targets="min")
    cache = EmbeddingCache(tmp_path / "out")
    assert cache.max_targets == 1
    assert cache.flags == Flags(full_targets=False, default_weights=False, unit_weights=False)
    table = cache.table()
    weights = {round(float(weight), 4) for weight in table.weights[:, 0]}
    assert weights == {1.0, 0.5, 0.3333}
    batch = next(CachedSamples(cache).batches(len(cache), seed=0, epoch=0))
    assert {round(weight, 4) for weight in batch.weights[:, 0].tolist()} == weights
    v1 = tmp_path / "v1.bin"
    merge_caches([tmp_path / "out"], making(v1, form="v1"), HashedEmbedder)
    np.testing.assert_array_equal(
        np.sort(CacheV1(v1).table().weights[:, 0])[[0, -1]], [1 / np.float32(3), 1]
    )


def test_a_larger_m_pads_with_empty_targets(two: tuple[Path, Path], tmp_path: Path):
    merge_caches([two[1]], making(tmp_path / "out", form="v1"), HashedEmbedder, targets=2)
    cache = CacheV1(tmp_path / "out")
    assert cache.max_targets == 2
    assert (cache.table().targets[:, 1] == -1).all()
    assert not cache.table().weights[:, 1].any()
    assert cache.flags == Flags(full_targets=False, default_weights=False, unit_weights=True)


def test_every_shard_of_a_merged_cache_holds_of_every_input(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("training.caches.merge.SHARD_TEXTS", 30)
    merge_caches(list(two), making(tmp_path / "out"))
    cache = EmbeddingCache(tmp_path / "out")
    assert len(cache.shards) == 3
    assert [cache.shard(number).vectors.shape[0] for number in range(3)] == [30] * 3


def test_merging_keeps_how_vectors_are_stored(two: tuple[Path, Path], tmp_path: Path):
    small, smaller, mixed = (Making(tmp_path / name, quiet) for name in ("a", "b", "c"))
    merge_caches([two[0]], making(tmp_path / "int8", vectors="int8"))
    assert merge_caches([two[0]], small)["vectors"] == "float32"
    assert merge_caches([tmp_path / "int8"], smaller)["vectors"] == "int8"
    assert merge_caches([two[0], tmp_path / "int8"], mixed)["vectors"] == "float16"
    one, other = (EmbeddingCache(tmp_path / name).shard(0).vectors for name in ("int8", "b"))
    np.testing.assert_array_equal(one, other)


def test_caches_that_do_not_fit_are_told(two: tuple[Path, Path], tmp_path: Path):
    one = two[0]
    wide = make_cache(tmp_path / "wide", some_captions(), HashedEmbedder(8)).path
    with pytest.raises(CacheError, match=r"one and .*wide: their vectors have 16 and 8 comp"):
        merge_caches([one, wide], making(tmp_path / "out"))
    other = make_cache(tmp_path / "model", some_captions(), HashedEmbedder(model="other")).path
    with pytest.raises(
        CacheError, match="different embedders: 'hashed' and 'hashed' differ in mod"
    ):
        merge_caches([one, other], making(tmp_path / "out"))
    merge_caches([one, other], making(tmp_path / "trusted"), trust=True)
    v1 = tmp_path / "v1.bin"
    merge_caches([other], making(v1, form="v1"), lambda: HashedEmbedder(model="other"))
    with pytest.raises(CacheError, match="different embedders: the one of hash"):
        merge_caches([one, v1], making(tmp_path / "out"))
    with pytest.raises(UsageError, match="is one of the caches that are read"):
        merge_caches([one, v1], making(one, overwrite=True))
    with pytest.raises(UsageError, match="needs the tokens of its nouns; name its embedder"):
        merge_caches([one], making(tmp_path / "v1-2", form="v1"))


def test_different_nouns_are_not_joined(nouns: NounSource, two: tuple[Path, Path], tmp_path: Path):
    cache_nouns(nouns, HashedEmbedder, making(tmp_path / "nouns"))
    with pytest.raises(CacheError, match=r"their target nouns differ \(4 and 3\)"):
        merge_caches([two[0], tmp_path / "nouns"], making(tmp_path / "out"))


def test_there_and_back_again(two: tuple[Path, Path], tmp_path: Path):
    """Own, version 1, own, version 1: samples, flags, hashes and the embedder stay."""
    one = two[0]
    first, back, second = tmp_path / "first.bin", tmp_path / "back", tmp_path / "second.bin"
    merge_caches([one], making(first, form="v1"), HashedEmbedder)
    merge_caches([first], making(back))
    assert every_sample(first) == every_sample(back) == every_sample(one)
    assert EmbeddingCache(back).card["texts"] == EmbeddingCache(one).card["texts"]
    merge_caches([back], making(second, form="v1"))
    a, b = CacheV1(first), CacheV1(second)
    assert a.header == b.header
    assert every_sample(second) == every_sample(one)
    assert maker_of(EmbeddingCache(back)).hash == embedder_hash(HashedEmbedder().identity())


def test_merging_goes_on_after_a_stop(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("training.caches.merge.SHARD_TEXTS", 10)
    merge_caches(list(two), making(tmp_path / "whole"))

    def stop(stage: str, done: int, total: int, note: str) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge_caches(list(two), making(tmp_path / "stopped", stop))
    stages = []
    merge_caches(list(two), making(tmp_path / "stopped", lambda *told: stages.append(told)))
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


@pytest.mark.parametrize("kind", ["float16", "int8"])
def test_a_sample_takes_at_most_a_quarter_of_version_1(
    nouns: NounSource, tmp_path: Path, kind: VectorKind
):
    """On a dictionary of five nouns the fixed parts would decide; so the vectors are wide."""
    made = cache_nouns(nouns, lambda: HashedEmbedder(2048), making(tmp_path / "own", vectors=kind))
    v1 = cache_nouns(nouns, lambda: HashedEmbedder(2048), making(tmp_path / "v1.bin", form="v1"))
    assert made["samples"] == v1["samples"]
    assert made["bytes"] / v1["bytes"] < 0.25
