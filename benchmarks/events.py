"""Stored events: are they found by words, how fast, and what does naming them once more cost?

    python -m benchmarks.events --names recall,votes --audits site --recordings simulated/recordings
    python -m benchmarks.events --names latency,rename

`recall`: 30 queries, written from the list of things before any search was made, over all events
of the recordings that `nomaly evaluate pipeline --simulated report --out simulated` makes, audited
below `--audits` (`nomaly audit NAME/video.mp4 --normal-first 60 -o AUDITS/NAME`). An event belongs
to the thing whose box it overlaps at the time of its picture (IoU .2). `votes`: how often the
decoder that named these events calls them the same by one stored vector. `latency` and `rename`:
stores of 100,000 and 10,000 events whose vectors are mixtures of class vectors. Times are processor
seconds, all threads together.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import torch

from app.events.event import Event, Finding
from app.events.folders import watched_folders
from app.events.reading import in_place
from app.events.store import Changes, SourceProgress, Store
from app.renaming.naming import named_again
from app.renaming.place import Naming, rename, take_back
from app.search.listed import Listed, listed
from app.search.search import find
from detectors.types import Box
from novic.embedder import Vectors
from novic.embedders.starter import load_class_vectors
from novic.model import NounModel, load_model

QUERIES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("green insect that jumps", ("grasshopper",)),
    ("a bird", ("cuckoo", "flamingo", "hen", "seagull", "peacock", "turkey", "crow")),
    ("small rodent", ("mouse", "capybara")),
    ("musical instrument", ("guitar", "cello")),
    ("string instrument like a violin", ("cello", "guitar")),
    ("pink wading bird", ("flamingo",)),
    ("first aid", ("bandage",)),
    ("box for tools", ("toolbox",)),
    ("cattle", ("bull", "gnu")),
    ("weasel", ("ferret",)),
    ("killer whale", ("orca",)),
    ("light source", ("lightbulb",)),
    ("electric lamp", ("lightbulb",)),
    ("chicken", ("hen",)),
    ("antelope", ("gnu",)),
    ("big cat", ("tiger",)),
    ("snail without a shell", ("slug",)),
    ("animal from australia", ("kangaroo", "wombat", "dingo")),
    ("grizzly", ("bear",)),
    ("pony", ("horse", "donkey")),
    ("swine", ("pig",)),
    ("gull over the terrace", ("seagull",)),
    ("dromedary", ("camel",)),
    ("something to take photos with", ("camera",)),
    ("bunny", ("rabbit",)),
    ("jet plane", ("airplane",)),
    ("infant", ("baby",)),
    ("emergency vehicle", ("fire truck",)),
    ("food", ("orange", "fruit")),
    ("freshwater fish", ("trout",)),
)
FIRST = 5
BEGAN_US = 1_790_000_000_000_000


def recall(audits: Path, recordings: Path) -> dict[str, float]:
    """Of the events that each query means, the share among the first five, and by words alone."""
    noun_of = {
        one.event.id: _true_noun(one, recordings / one.place.name / "truth.json")
        for one in listed(audits)
    }
    found: dict[str, list[float]] = {"all": [], "words": []}
    for text, nouns in QUERIES:
        meant = {event_id for event_id, noun in noun_of.items() if noun in nouns}
        if not meant:
            continue
        hits = find([audits], text, len(noun_of)).hits
        by_words = [hit for hit in hits if "words" in hit.by]
        for name, ranked in (("all", hits), ("words", by_words)):
            first = {hit.listed.event.id for hit in ranked[:FIRST]}
            found[name].append(len(meant & first) / min(FIRST, len(meant)))
    means = {f"recall_{name}": round(float(np.mean(share)), 3) for name, share in found.items()}
    return {**means, "queries": len(found["all"]), "events": len(noun_of)}


def _true_noun(one: Listed, truth: Path) -> str:
    event = one.event
    best = (0.2, "")
    for thing in json.loads(truth.read_text())["things"]:
        for at_s, sides in thing["boxes"]:
            if abs(at_s - event.snapshot_s) < 0.35:
                best = max(best, (event.box.iou(Box(*sides)), thing["noun"]))
    return best[1]


def votes(audits: Path, model: NounModel) -> dict[str, float]:
    """How often one vector says what the vote over all crops said."""
    pairs: list[tuple[Event, Event]] = []
    for place in watched_folders(audits):
        with in_place(place.folder) as store:
            events = [one for one in store.events(store.required_run().id) if one.candidates]
            kept = [(one, store.vector(one.id)) for one in events]
        known = [(one, vector[1]) for one, vector in kept if vector is not None]
        again = named_again([one for one, _ in known], np.stack([v for _, v in known]), model)
        pairs += [(one.before, one.after) for one in again]
    return {
        "events": len(pairs),
        "headline": sum(old.headline == new.headline for old, new in pairs),
        "noun": sum(old.noun == new.noun for old, new in pairs),
        "surer": sum(new.p > old.p for old, new in pairs),
    }


def latency(count: int, model: NounModel) -> dict[str, float]:
    """Processor seconds of the first search and of later ones, the median of seven."""
    with tempfile.TemporaryDirectory() as made:
        folder = _stored(Path(made), count, model)
        first_s = _timed(lambda: find([folder], "lamp"))
        later = [_timed(lambda: find([folder], "lamp")) for _ in range(7)]
    return {"events": count, "first_s": first_s, "later_s": float(np.median(later))}


def rename_all(count: int, model: NounModel) -> dict[str, float]:
    """Processor seconds of naming all events once more and taking that back."""
    with tempfile.TemporaryDirectory() as made:
        folder = _stored(Path(made), count, model)
        naming = Naming(model, "a" * 64, "another", BEGAN_US)
        vectors = _mixtures(count)
        decode_s = _timed(lambda: model.decode(vectors, 10))
        return {
            "events": count,
            "decode_s": decode_s,
            "rename_s": _timed(lambda: rename(folder, naming)),
            "undo_s": _timed(lambda: take_back(folder, BEGAN_US)),
        }


def _timed(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return round(process_time() - began, 3)


def _mixtures(count: int) -> Vectors:
    """Unit vectors [N, F] of three classes each, as float16 keeps them."""
    generator = np.random.default_rng(1)
    classes = load_class_vectors()
    shares = generator.dirichlet((0.5, 0.3, 0.1), count).astype(np.float32)
    mixed = np.einsum("nk,nkf->nf", shares, classes[generator.integers(0, 1000, (count, 3))])
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    return mixed.astype("<f2").astype(np.float32)


def _stored(folder: Path, count: int, model: NounModel) -> Path:
    """A store of so many events, named as the first thousand of them."""
    vectors = _mixtures(count)
    first = Event(
        "", "hall", "closed", 0.0, 5.0, BEGAN_US, BEGAN_US, Box(9, 9, 60, 80), (480, 640), 2.0, 25
    )
    known = [one.after for one in named_again([first] * 1000, vectors[:1000], model)]
    source = SourceProgress("hall", "rtsp://hall/1", (480, 640), 0.0, 0.0)
    with Store(folder) as store:
        run = store.begin_run("watch", {"namer": "f" * 64})
        for start in range(0, count, 1000):
            found = [
                Finding(
                    replace(
                        known[number % 1000],
                        id=f"{number:014x}-abcdef",
                        start_us=BEGAN_US + number * 60_000_000,
                    ),
                    None,
                    (),
                    vector=vectors[number],
                )
                for number in range(start, min(start + 1000, count))
            ]
            store.save(run.id, Changes(source, found, embedder="starter"))
    return folder


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", default="")
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--audits", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    model = load_model(None, torch.device("cpu"))
    parts: dict[str, Callable[[], dict[str, float]]] = {
        "latency": lambda: latency(100_000, model),
        "rename": lambda: rename_all(10_000, model),
    }
    if options.audits is not None:
        parts["votes"] = lambda: votes(options.audits, model)
        if options.recordings is not None:
            parts["recall"] = lambda: recall(options.audits, options.recordings)
    wanted = options.names.split(",") if options.names else list(parts)
    found = {name: parts[name]() for name in wanted}
    if not options.json:
        for name, figures in found.items():
            print(f"{name:<8}", "  ".join(f"{key} {value}" for key, value in figures.items()))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
