"""How well and how fast does the local language model rate nouns?

For each preset it rates all labelled nouns in the default form (questions and answers with the
owner's examples), none of which is among the examples, and prints how many pairs of them, one seen
and one never seen, it puts in order. Time is the processor's, of this process, after the prefix was
read: of nouns in blocks, of nouns one by one, and of xllamacpp's own server asked one by one with
the same prompts, in turn. All threads count, also while they wait for each other.

With --record it also writes what the tests use: log-odds of all labelled nouns and of the examples,
each judged unseen, in every wording; and log-odds in the default form of 180 random nouns of the
base dictionary's FT2 and of 120 rarer ones.

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
from scenarios.raters.local.engines import Engine
from scenarios.raters.local.llama import Llama
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
    parser.add_argument("--singles", type=int, default=20, help="nouns asked one by one")
    parser.add_argument("--record", type=Path, help="folder for the tests' data")
    parser.add_argument("--json", action="store_true", help="print the JSON object only")
    arguments = parser.parse_args()
    engine = Llama(arguments.model, arguments.threads)
    places = {name: read_preset(name) for name in arguments.presets}
    result: dict[str, Any] = {"threads": arguments.threads}
    for name, (place, seen, never) in places.items():
        if arguments.record:
            record(arguments.record / f"local_{name}.json", engine, place, (seen, never))
            record_sample(arguments.record / f"local_sample_{name}.json", engine, place)
        result[name] = quality(engine, place, seen, never)
    place, seen, never = places[arguments.presets[0]]
    result |= costs(engine, arguments.model, place, [*seen, *never], arguments)
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
        choice = LocalRater(Path(), place, engine=engine).choose(store)
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


def costs(
    engine: Engine, model: Path, place: Place, nouns: list[str], arguments: argparse.Namespace
) -> dict[str, Any]:
    """CPU-seconds a noun: in blocks, one by one, and by the server; and how values differ."""
    prompt = prompt_of(engine, place, LINES)
    engine.log_odds(prompt.prefix, [prompt.ending("dog")])
    few = nouns[:: max(len(nouns) // arguments.singles, 1)][: arguments.singles]
    endings = [prompt.ending(noun) for noun in few]
    together = [prompt.ending(noun) for noun in nouns]
    blocks, values = cpu_seconds(lambda: engine.log_odds(prompt.prefix, together))
    single, alone = cpu_seconds(
        lambda: [engine.log_odds(prompt.prefix, [ending])[0] for ending in endings]
    )
    server = LlamaServer(model, arguments.threads)
    server.log_odds(prompt.prefix, [prompt.ending("dog")])
    served, by_server = cpu_seconds(lambda: server.log_odds(prompt.prefix, endings))
    again, _ = cpu_seconds(lambda: engine.log_odds(prompt.prefix, together))
    of_noun = dict(zip(nouns, values, strict=True))
    per_noun = fmean([blocks, again]) / len(nouns)
    return {
        "cpu_s_per_noun": round(per_noun, 4),
        "cpu_s_per_noun_single": round(single / len(few), 4),
        "cpu_s_per_noun_server": round(served / len(few), 4),
        "server_ratio": round(served / len(few) / per_noun, 2),
        "largest_difference_single": round(
            max(abs(of_noun[n] - v) for n, v in zip(few, alone, strict=True)), 4
        ),
        "largest_difference_server": round(
            max(abs(of_noun[n] - v) for n, v in zip(few, by_server, strict=True)), 4
        ),
    }


def cpu_seconds(call: Callable[[], list[float]]) -> tuple[float, list[float]]:
    """Processor time of a call, of all threads, and what it returned."""
    began = time.process_time()
    values = call()
    return time.process_time() - began, values


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
        rater = LocalRater(Path(), place, engine=engine)
        for wording in WORDINGS:
            judged = rater.judge(store, wording)
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
