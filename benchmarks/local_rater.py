"""How well and how fast does the local language model rate nouns?

For each preset it rates all labelled nouns in the default form (questions and answers with the
owner's examples), none of which is among the examples, and prints how many pairs of them, one seen
and one never seen, it puts in order. Time is the processor's, of this process, in which the server
of the model runs too; all threads count, also while they wait for each other.

With --record it writes what the tests use instead: log-odds of all labelled nouns and of the
examples, each judged unseen, in every wording; and log-odds in the default form, at the first
preset, of 180 random nouns of the base dictionary's FT2 and of 120 rarer ones.

    python -m benchmarks.local_rater --model FILE.gguf [--threads N] [--record FOLDER] [--json]
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from scenarios.base.build import build_dictionary
from scenarios.paths import llm_folder
from scenarios.raters.digits.prompts import asked_as
from scenarios.raters.local.engine import Engine
from scenarios.raters.local.llama_server import LlamaServer
from scenarios.raters.local.model_parts import QWEN_CODER
from scenarios.raters.local.rater import LocalRater
from scenarios.raters.local.wordings import LINES, WORDINGS, Prompt, Wording, cut, in_mixed_order
from scenarios.ratings.records import Place
from scenarios.ratings.scale import auc
from scenarios.ratings.store import RatingStore

LIBRARY = Path(__file__).parents[1] / "scenarios" / "library"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=llm_folder() / QWEN_CODER.file)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--presets", nargs="+", default=["airbus", "nicol"])
    parser.add_argument("--timed", type=int, default=40, help="nouns whose time is taken")
    parser.add_argument("--record", type=Path, help="folder for the tests' data")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    engine = LlamaServer(arguments.model, arguments.threads)
    places = {name: read_preset(name) for name in arguments.presets}
    first, seen, never = places[arguments.presets[0]]
    result: dict[str, Any] = {"threads": arguments.threads}
    result |= costs(engine, first, [*seen, *never][: arguments.timed])
    for name, (place, seen, never) in places.items():
        if arguments.record:
            record(arguments.record / f"local_{name}.json", engine, place, (seen, never))
        else:
            result[name] = quality(engine, place, seen, never)
    if arguments.record:
        sample = arguments.record / f"local_sample_{arguments.presets[0]}.json"
        record_sample(sample, engine, first)
    engine.close()
    if not arguments.json:
        for key, value in result.items():
            print(f"{key:<28} {value}")
    print(json.dumps(result))


def read_preset(name: str) -> tuple[Place, list[str], list[str]]:
    """A preset's place, and its labelled nouns, seen and never seen."""
    site = yaml.safe_load((LIBRARY / name / "scenario.yaml").read_text("utf-8"))
    labels = yaml.safe_load((LIBRARY / name / "labels.yaml").read_text("utf-8"))
    examples = site["examples"]
    place = Place(site["description"], tuple(examples["seen"]), tuple(examples["never"]))
    shown = {*place.seen, *place.never}
    seen, never = ([n for n in labels[kind] if n not in shown] for kind in ("seen", "never"))
    return place, seen, never


def quality(engine: Engine, place: Place, seen: list[str], never: list[str]) -> dict[str, Any]:
    """The choice of wording on the examples, and AUC on the labelled nouns in the default form."""
    with TemporaryDirectory() as folder, RatingStore(Path(folder) / "ratings.sqlite") as store:
        began = time.process_time()
        choice = LocalRater(Path(), place, store, engine=engine).choose()
        seconds = time.process_time() - began
    values = dict(zip([*seen, *never], ask(engine, place, LINES, [*seen, *never]), strict=True))
    return {
        "chosen": choice.wording.name,
        "auc_examples": {name: round(value, 4) for name, value in choice.aucs.items()},
        "choosing_cpu_s": round(seconds, 1),
        "labelled": [len(seen), len(never)],
        "auc_labelled": round(auc([values[n] for n in seen], [values[n] for n in never]), 4),
        "seen_below_all_but_few": sorted(seen, key=values.__getitem__)[:5],
        "never_above_all_but_few": sorted(never, key=values.__getitem__)[-5:],
    }


def costs(engine: Engine, place: Place, nouns: list[str]) -> dict[str, Any]:
    """CPU-seconds of a noun once the prefix was read, three times over."""
    prompt = prompt_of(engine, place, LINES)
    endings = [prompt.ending(noun) for noun in nouns]
    engine.log_odds(prompt.prefix, endings[:1])
    rounds = [cpu_seconds(lambda: engine.log_odds(prompt.prefix, endings)) for _ in range(3)]
    per_noun = [seconds / len(nouns) for seconds in rounds]
    return {
        "cpu_s_per_noun": round(fmean(per_noun), 4),
        "cpu_s_per_noun_by_round": [round(seconds, 4) for seconds in per_noun],
    }


def cpu_seconds(call: Callable[[], object]) -> float:
    """Processor time of a call, of all threads."""
    began = time.process_time()
    call()
    return time.process_time() - began


def prompt_of(engine: Engine, place: Place, wording: Wording) -> Prompt:
    """The prompt that nouns of a place are rated with."""
    shown = in_mixed_order(place.seen, place.never) if wording.shows_examples else []
    turns = wording.conversation(place.description, shown)
    return cut(engine.rendered(turns, answering=not wording.is_open), wording)


def ask(engine: Engine, place: Place, wording: Wording, nouns: list[str]) -> list[float]:
    """Log-odds of nouns."""
    prompt = prompt_of(engine, place, wording)
    return engine.log_odds(prompt.prefix, [prompt.ending(noun) for noun in nouns])


def record(path: Path, engine: Engine, place: Place, labelled: tuple[list[str], list[str]]) -> None:
    """Write log-odds of labelled nouns and examples in every wording."""
    recorded: dict[str, Any] = {}
    with TemporaryDirectory() as folder, RatingStore(Path(folder) / "ratings.sqlite") as store:
        rater = LocalRater(Path(), place, store, engine=engine)
        for wording in WORDINGS:
            judged = rater.judge(wording)
            values = {
                kind: dict(zip(nouns, ask(engine, place, wording, nouns), strict=True))
                for kind, nouns in zip(("seen", "never"), labelled, strict=True)
            }
            examples = {"seen": judged.seen, "never": judged.never}
            recorded[wording.name] = {"examples": examples, "labelled": values}
            print(f"{path.name}: {wording.name} recorded", file=sys.stderr)
    value = {"model_sha256": engine.sha256, "how": engine.how, "wordings": recorded}
    rounded = json.loads(json.dumps(value), parse_float=lambda text: round(float(text), 4))
    path.write_text(json.dumps(rounded, ensure_ascii=False), encoding="utf-8")


def record_sample(path: Path, engine: Engine, place: Place) -> None:
    """Write log-odds of random nouns of the base dictionary, by target noun."""
    dictionary = build_dictionary(lambda *_: None)
    common = [entry for entry in dictionary.entries if entry.total_freq > 2]
    rare = [entry for entry in dictionary.entries if entry.total_freq <= 2]
    random = Random(0)  # noqa: S311 - no secret
    entries = [*random.sample(common, 180), *random.sample(rare, 120)]
    values = ask(engine, place, LINES, [asked_as(entry) for entry in entries])
    found = {
        entry.target_noun: round(value, 4) for entry, value in zip(entries, values, strict=True)
    }
    path.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
