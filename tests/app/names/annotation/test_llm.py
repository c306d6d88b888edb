"""`nomaly annotate llm` against a real HTTP server that speaks chat completions."""

import json
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from app.commands import annotate
from app.errors import UsageError
from app.names.annotation.asking import (
    GarbageError,
    Opinion,
    QuestionError,
    Verdict,
    image_address,
    question,
    read_opinion,
)
from app.names.annotation.llm import LlmResult, LlmRun, estimate
from app.names.annotation.opinions import Opinions, Rule
from app.names.annotation.work import Item
from app.progress import Reporter
from scenarios.llm.direct import DirectTransport
from scenarios.llm.opening import open_direct
from scenarios.llm.transport import EndpointError
from scenarios.llm.transport import Reply as ChatReply
from tests.app.chat_server import (
    COLOURS,
    Asked,
    Behaviour,
    Reply,
    chat_server,
    verdicts,
)
from tests.app.short_watch import run_nomaly, start_nomaly
from training.evaluation.annotations import (
    AnnotationError,
    Annotations,
    read_annotations,
    write_annotations,
)

KEY = "sk-canary-0123456789"

TRUTH = {
    "red": {"tomato": "correct", "fruit": "correct", "pepper": "close", "car": "incorrect"},
    "green": {"leaf": "correct", "tree": "close", "dog": "incorrect"},
    "blue": {"sky": "correct", "cloud": "incorrect"},
}


YES, NEAR, NO = "correct", "close", "incorrect"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, colour in COLOURS.items():
        Image.new("RGB", (900, 600), colour).save(tmp_path / f"{name}.png")
    return tmp_path


def items(folder: Path, **nouns: list[str]) -> list[Item]:
    chosen = nouns or {colour: list(truth) for colour, truth in TRUTH.items()}
    return [
        Item(f"{name}.png", folder / f"{name}.png", tuple(named)) for name, named in chosen.items()
    ]


def truthful(asked: Asked, number: int) -> Reply:
    del number
    return verdicts(asked, lambda noun: TRUTH[asked.colour][noun])


def open_judge(
    url: str | None,
    retries: int = 0,
    parallel: int = 1,
    check: Callable[[], None] = lambda: None,
) -> DirectTransport:
    options = {"retries": retries, "parallel": parallel, "check": check}
    return open_direct("judge", url, most_faults=None, **options)


def run(
    folder: Path,
    todo: list[Item],
    url: str,
    rule: Rule | None = None,
    parallel: int = 1,
    retries: int = 2,
) -> tuple[LlmResult, Annotations, Opinions]:
    path = folder / "llm.json"
    opinions = Opinions.load(folder / "llm.opinions.jsonl", "judge")
    judged = read_annotations(path) if path.exists() else Annotations()
    started = LlmRun(todo, judged, path, opinions, rule or Rule())
    result = started.run(
        lambda check: open_judge(url, retries, parallel, check), Reporter(quiet=True)
    )
    return result, read_annotations(path) if path.exists() else Annotations(), opinions


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "llm.opinions.jsonl").read_text(encoding="ascii")
    return [json.loads(line) for line in text.splitlines()]


def test_three_opinions_that_agree_judge_every_noun(folder: Path):
    with chat_server(truthful) as server:
        result, annotations, opinions = run(folder, items(folder), server.url, parallel=3)
    assert annotations.as_json()["red.png"] == {
        "correct_primary": ["tomato", "fruit"],
        "correct_secondary": [],
        "close_primary": ["pepper"],
        "close_secondary": [],
        "incorrect": ["car"],
    }
    assert annotations.nouns("green.png", "close_primary") == ["tree"]
    assert Counter(asked.colour for asked in server.asked) == {"red": 3, "green": 3, "blue": 3}
    assert result.judged == {"correct_primary": 4, "close_primary": 2, "incorrect": 3}
    assert (result.asked, result.tokens, result.failed) == (9, (900, 90), [])
    assert opinions.tokens == (900, 90)


def test_a_request_is_small_numbered_structured_and_signed(folder: Path):
    with chat_server(truthful) as server:
        run(folder, items(folder, red=["tomato", "car"]), server.url)
    asked = server.asked[0]
    assert asked.size == (512, 341)
    assert server.keys == {f"Bearer {KEY}"}
    assert asked.body["model"] == "judge"
    assert asked.body["messages"][-1]["content"][0]["image_url"]["detail"] == "low"
    assert asked.body["response_format"]["json_schema"]["strict"] is True
    schema = asked.body["response_format"]["json_schema"]["schema"]
    properties = schema["$defs"]["NounVerdict"]["properties"]
    assert properties["verdict"]["enum"] == [YES, NEAR, NO]
    assert sorted(asked.nouns) == ["car", "tomato"]


def test_many_nouns_are_asked_in_equal_parts_and_changing_order(folder: Path):
    nouns = [f"noun {number}" for number in range(17)]

    def behave(asked: Asked, number: int) -> Reply:
        del number
        return verdicts(asked, lambda noun: "correct" if noun == "noun 0" else "incorrect")

    with chat_server(behave) as server:
        _, annotations, _ = run(folder, items(folder, red=nouns), server.url)
    # The part without "noun 0" is called incorrect throughout, so it is asked about once more.
    parts = [asked.nouns for asked in server.asked]
    assert {len(part) for part in parts} == {8, 9}
    orders = {tuple(part) for part in parts if "noun 0" in part}
    assert len(orders) == 3
    assert annotations.nouns("red.png", "correct_primary") == ["noun 0"]
    assert len(annotations.nouns("red.png", "incorrect")) == 16


@pytest.mark.parametrize("status", [429, 500, 503])
def test_faults_that_pass_are_waited_for(folder: Path, status: int):
    def behave(asked: Asked, number: int) -> Reply:
        if number in (0, 3):
            return Reply("busy", status, {"retry-after-ms": "20"})
        return truthful(asked, number)

    with chat_server(behave) as server:
        result, annotations, _ = run(folder, items(folder, blue=["sky"]), server.url)
    assert annotations.nouns("blue.png", "correct_primary") == ["sky"]
    assert len(server.asked) == 5
    assert (result.asked, result.failed, result.fault) == (3, [], "")


def test_limits_that_stay_reached_end_the_run(folder: Path):
    with chat_server(lambda *_: Reply("slow down", 429, {"retry-after-ms": "5"})) as server:
        result, annotations, _ = run(folder, items(folder), server.url)
    assert "answered 429: it is too busy" in result.fault
    assert "slow down" in result.fault
    assert annotations == Annotations()


def rows(asked: Asked) -> list[dict[str, Any]]:
    return truthful(asked, 0).content["answers"]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        pytest.param(lambda rows: rows[:-1], "1 of 4 nouns are missing", id="noun missing"),
        pytest.param(
            lambda rows: rows + rows[:1], r"number 1 .* not asked or is twice", id="twice"
        ),
        pytest.param(
            lambda rows: [{**rows[0], "verdict": "maybe"}, *rows[1:]],
            r"answers.0.verdict: Input should be .*maybe",
            id="unknown verdict",
        ),
        pytest.param(
            lambda rows: [{**rows[0], "noun": rows[1]["noun"]}, *rows[1:]],
            "number 1 is '.*', but it judges '.*'",
            id="noun of another number",
        ),
        pytest.param(lambda rows: rows[0], "answers: Input should be a valid array", id="no list"),
    ],
)
def test_garbage_is_refused_and_asked_again(
    folder: Path, spoil: Callable[[list[dict[str, Any]]], Any], why: str
):
    def behave(asked: Asked, number: int) -> Reply:
        if number == 1:
            return Reply({"shows": "", "answers": spoil(rows(asked))})
        return truthful(asked, number)

    with chat_server(behave) as server:
        result, annotations, _ = run(folder, items(folder, red=list(TRUTH["red"])), server.url)
    assert len(server.asked) == 4
    assert server.asked[1].nouns != server.asked[2].nouns
    assert (result.asked, result.tokens, result.failed) == (4, (400, 40), [])
    assert len(annotations) == 4
    refused = [line for line in lines(folder) if "rejected" in line]
    assert len(refused) == 1
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(refused[0]["rejected"])


@pytest.mark.parametrize("said", ["I see a tomato.", "", "{", '```json\n{"answers": []}\n```'])
def test_what_stays_garbage_is_reported_and_judged_by_nobody(folder: Path, said: str):
    def behave(asked: Asked, number: int) -> Reply:
        return Reply(said) if asked.colour == "red" else truthful(asked, number)

    with chat_server(behave) as server:
        result, annotations, _ = run(folder, items(folder), server.url)
    assert Counter(asked.colour for asked in server.asked)["red"] == 3
    assert [image for image, _ in result.failed] == ["red.png"]
    assert result.failed[0][1].startswith("4 nouns: 3 useless answers, the last one: ")
    assert "red.png" not in annotations.images
    assert len(annotations) == 5


def test_an_answer_in_a_markdown_block_and_with_other_spelling_will_do(folder: Path):
    def behave(asked: Asked, number: int) -> Reply:
        del number
        answer = verdicts(asked, lambda _: "correct").content
        answer["answers"][0]["noun"] = '"Creme Brulee"'
        return Reply(f"Here you are:\n```json\n{json.dumps(answer)}\n```")

    with chat_server(behave) as server:
        _, annotations, _ = run(folder, items(folder, red=["crème brûlée"]), server.url)
    assert annotations.nouns("red.png", "correct_primary") == ["crème brûlée"]


def test_a_model_that_says_the_same_of_everything_is_not_believed(folder: Path):
    nouns = [f"noun {number}" for number in range(8)]
    with chat_server(lambda asked, _: verdicts(asked, lambda _: "correct")) as server:
        result, annotations, _ = run(folder, items(folder, red=nouns), server.url)
    assert len(server.asked) == 3
    assert result.failed == [
        ("red.png", "8 nouns: 3 useless answers, the last one: all 8 nouns are called correct")
    ]
    assert annotations == Annotations()


def test_one_that_tells_nouns_apart_elsewhere_may_insist(folder: Path):
    nouns = [f"noun {number}" for number in range(8)]

    def behave(asked: Asked, number: int) -> Reply:
        if asked.colour == "red":
            return verdicts(asked, lambda _: "incorrect")
        return truthful(asked, number)

    todo = [*items(folder, green=list(TRUTH["green"])), *items(folder, red=nouns)]
    with chat_server(behave) as server:
        result, annotations, _ = run(folder, todo, server.url)
    assert Counter(asked.colour for asked in server.asked) == {"green": 3, "red": 4}
    assert result.failed == []
    assert annotations.nouns("red.png", "incorrect") == nouns


def scripted(**said: list[str]) -> Behaviour:
    """For each noun its verdicts, one after the other."""
    left = {noun: iter(row) for noun, row in said.items()}
    return lambda asked, _: verdicts(asked, lambda noun: next(left[noun]))


@pytest.mark.parametrize(
    ("said", "category"),
    [
        pytest.param([YES] * 3, "correct_primary", id="three agree"),
        pytest.param([NO] * 3, "incorrect", id="three against"),
        pytest.param([NEAR] * 3, "close_primary", id="three close"),
        pytest.param([YES, NO, YES, YES, YES], "correct_primary", id="four of five"),
        pytest.param([NO, YES, NO, NO, NO], "incorrect", id="four of five against"),
        pytest.param([YES, YES, NO, NO], "close_primary", id="cannot agree any more"),
        pytest.param([YES, NEAR, NO], "close_primary", id="cannot agree from the start"),
        pytest.param([YES, YES, NO, YES, NO], "close_primary", id="three of five"),
    ],
)
def test_opinions_are_asked_for_until_they_agree(folder: Path, said: list[str], category: str):
    with chat_server(scripted(tomato=said)) as server:
        _, annotations, _ = run(folder, items(folder, red=["tomato"]), server.url)
    assert annotations.images == {"red.png": {"tomato": category}}
    assert len(server.asked) == len(said)


def test_only_nouns_without_agreement_are_asked_again(folder: Path):
    behave = scripted(tomato=[YES] * 3, fruit=[YES, YES, NO, YES, YES], car=[NO] * 3)
    with chat_server(behave) as server:
        run(folder, items(folder, red=["tomato", "fruit", "car"]), server.url)
    assert [len(asked.nouns) for asked in server.asked] == [3, 3, 3, 1, 1]


def test_when_opinions_are_enough_follows_the_settings():
    def category(rule: Rule, *said: Verdict) -> str | None:
        return rule.category(said)

    assert category(Rule(1, 1), "correct") == "correct_primary"
    assert category(Rule(), "correct", "correct") is None
    assert category(Rule(3, 5, 1.0), "correct", "correct", "incorrect") == "close_primary"
    assert category(Rule(5, 5, 0.8), *["correct"] * 4, "close") == "correct_primary"  # type: ignore[arg-type]
    for least, most, agree, fault in (
        (0, 3, 0.8, "opinions must be 1 <= least <= most, got 0..3"),
        (4, 3, 0.8, "opinions must be 1 <= least <= most, got 4..3"),
        (3, 5, 0.5, r"agree must be above 0\.5 and at most 1, got 0\.5"),
        (3, 5, 1.1, r"agree must be above 0\.5 and at most 1, got 1\.1"),
    ):
        with pytest.raises(UsageError, match=fault):
            Rule(least, most, agree)


def test_a_server_that_dies_loses_nothing_and_nothing_is_asked_twice(folder: Path):
    def dying(asked: Asked, number: int) -> Reply:
        return Reply(status=0) if number >= 4 else truthful(asked, number)

    with chat_server(dying) as server:
        result, annotations, _ = run(folder, items(folder), server.url, retries=0)
    assert f"{server.url}/: does not answer" in result.fault
    assert len(annotations.images["red.png"]) == 4  # three opinions; the fourth was on the second
    assert len(lines(folder)) == 4
    with chat_server(truthful) as server:
        result, annotations, _ = run(folder, items(folder), server.url)
    assert Counter(asked.colour for asked in server.asked) == {"green": 2, "blue": 3}
    assert (result.fault, result.asked, len(annotations)) == ("", 5, 9)
    with chat_server(truthful) as server:
        run(folder, items(folder), server.url)
    assert server.asked == []


def test_a_port_that_nobody_listens_on_is_told(folder: Path):
    with chat_server(truthful) as server:
        url = server.url
    result, _, _ = run(folder, items(folder), url, retries=0)
    assert f"{url}/: does not answer (" in result.fault
    assert result.judged == {}


def test_a_refused_key_ends_the_run_and_is_not_shown(folder: Path):
    with chat_server(lambda *_: Reply(f"bad key {KEY}", 401)) as server:
        result, _, _ = run(folder, items(folder), server.url)
    assert len(server.asked) == 1
    assert "bad key ***" in result.fault
    assert KEY not in result.fault


def test_options_that_a_model_does_not_know_are_left_out(folder: Path):
    def behave(asked: Asked, number: int) -> Reply:
        for option in ("temperature", "response_format", "max_tokens"):
            if option in asked.body:
                return Reply(f"Unsupported parameter: '{option}'", 400)
        return truthful(asked, number)

    with chat_server(behave) as server:
        result, annotations, _ = run(folder, items(folder, blue=["sky"]), server.url)
    assert len(server.asked) == 6
    assert (result.failed, len(annotations)) == ([], 1)


def test_a_refused_image_is_reported_and_the_others_go_on(folder: Path):
    def behave(asked: Asked, number: int) -> Reply:
        if asked.colour == "green":
            return Reply("content policy", 400)
        return truthful(asked, number)

    (folder / "broken.png").write_text("no image")
    todo = [*items(folder), *items(folder, broken=["thing"])]
    with chat_server(behave) as server:
        result, annotations, _ = run(folder, todo, server.url)
    assert list(annotations.images) == ["red.png", "blue.png"]
    green, broken = result.failed
    assert green[0] == "green.png"
    assert "content policy" in green[1]
    assert broken == ("broken.png", "the image is not an image that can be read")


def test_an_endpoint_that_refuses_everything_is_left(folder: Path):
    for number in range(9):
        Image.new("RGB", (9, 9), COLOURS["red"]).save(folder / f"{number}.png")
    todo = items(folder, **{str(number): ["tomato"] for number in range(9)})
    with chat_server(lambda *_: Reply("model has no eyes", 422)) as server:
        result, _, _ = run(folder, todo, server.url)
    assert len(server.asked) == 5
    assert "5 questions in a row came to nothing" in result.fault
    assert "model has no eyes" in result.fault


@pytest.mark.parametrize(
    "raw",
    ["[]", "{}", '{"choices": []}', '{"choices": [{"message": null}]}', '{"choices": "many"}'],
)
def test_what_is_no_chat_completion_is_told(folder: Path, raw: str):
    with chat_server(lambda *_: Reply(raw=raw)) as server:
        with pytest.raises(EndpointError, match="not with chat completions; check the address"):
            ask_once(folder, server.url)
        server.behave = lambda *_: Reply(raw="<html>")
        with pytest.raises(EndpointError, match="not with chat completions; check the address"):
            ask_once(folder, server.url)


def test_other_answers_are_told_from_garbage(folder: Path):
    with chat_server(truthful) as server:
        server.behave = lambda *_: Reply({"error": "x"}, 200)
        with pytest.raises(GarbageError, match="shows: Field required"):
            ask_once(folder, server.url)
        server.behave = lambda *_: Reply("gone", 410)
        with pytest.raises(
            QuestionError, match=r"the endpoint refused or failed it: answered 410: gone"
        ):
            ask_once(folder, server.url)


def ask_once(folder: Path, url: str) -> Opinion:
    image = image_address(folder / "red.png")
    replies: list[ChatReply] = []
    open_judge(url).ask([question("1", "judge", image, ["tomato"])], replies.append)
    return read_opinion(replies[0], ["tomato"])


def test_an_own_endpoint_needs_no_key_and_openai_does(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    open_judge("http://127.0.0.1:1/v1")
    with pytest.raises(UsageError, match="set the environment variable OPENAI_API_KEY"):
        open_judge(None)


def test_a_torn_line_is_dropped_and_a_damaged_one_told(tmp_path: Path):
    path = tmp_path / "opinions.jsonl"
    opinions = Opinions.load(path, "judge")
    opinions.add("a.png", Opinion({"cat": "correct"}, (5, 1)))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"image": "a.png", "mod')
    again = Opinions.load(path, "judge")
    assert again.of("a.png", "cat") == ["correct"]
    assert path.read_bytes() == whole
    path.write_bytes(whole + b"{}\n" + whole)
    with pytest.raises(AnnotationError, match=rf"{path}:2: is not an opinion"):
        Opinions.load(path, "judge")
    path.write_bytes(whole.replace(b"correct", b"perhaps"))
    with pytest.raises(AnnotationError, match=rf"{path}:1: is not an opinion"):
        Opinions.load(path, "judge")


def test_opinions_of_another_model_do_not_count(tmp_path: Path):
    path = tmp_path / "opinions.jsonl"
    Opinions.load(path, "one").add("a.png", Opinion({"cat": "correct"}, (5, 1)))
    other = Opinions.load(path, "other")
    assert (other.of("a.png", "cat"), other.tokens) == ([], (0, 0))


def test_the_estimate_is_what_agreeing_opinions_take(folder: Path):
    todo = items(folder)
    rule = Rule()
    figures = estimate(todo, Opinions(folder / "x.jsonl", "judge"), rule)
    with chat_server(truthful) as server:
        run(folder, todo, server.url, rule)
    assert (figures["images"], figures["nouns"]) == (3, 9)
    assert figures["least"]["requests"] == len(server.asked) == 9
    assert figures["most"]["requests"] == 15
    assert figures["most"]["tokens_read"] > figures["least"]["tokens_read"] > 9 * 85
    done = estimate(todo, Opinions.load(folder / "llm.opinions.jsonl", "judge"), rule)
    assert done["most"]["requests"] == 0


@pytest.fixture
def predicted(folder: Path) -> Path:
    path = folder / "predictions.json"
    pred = {"pred": [list(truth) for truth in TRUTH.values()]}
    samples = [f"{name}.png" for name in TRUTH]
    path.write_text(json.dumps({"version": 1, "samples": samples, "predictions": {"g": pred}}))
    return path


def command(folder: Path, predicted: Path, url: str, *more: str) -> list[str]:
    options = ["--model", "judge", "--base-url", url, "--parallel", "1", "--json", *more]
    return ["annotate", "llm", str(folder), str(predicted), *options]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_goes_on(folder: Path, predicted: Path, how: signal.Signals):
    held, go_on = threading.Event(), threading.Event()

    def behave(asked: Asked, number: int) -> Reply:
        if number == 4:
            held.set()
            go_on.wait(60)
        return truthful(asked, number)

    with (
        chat_server(behave) as server,
        start_nomaly(*command(folder, predicted, server.url)) as asking,
    ):
        assert held.wait(60)
        asking.send_signal(how)
        if how == signal.SIGKILL:
            asking.wait(60)
        else:
            threading.Timer(1, go_on.set).start()
        out, err = asking.communicate(timeout=60)
        go_on.set()
        kept = len((folder / "_class_annotations_gpt.opinions.jsonl").read_bytes().splitlines())
        if how == signal.SIGINT:
            # What was being answered was waited for, and what is settled was written.
            assert asking.returncode == 1, err
            assert kept == 5
            stopped = json.loads(out.splitlines()[-1])
            assert (stopped["stopped"], stopped["asked"], stopped["judged"]) == (True, 5, 4)
            assert "stopped; the same command goes on from here" in err
        else:
            assert kept == 4
        before = len(server.asked)
        done = run_nomaly(*command(folder, predicted, server.url))
    assert done.returncode == 0, done.stderr
    assert len(server.asked) - before == 9 - kept
    annotations = read_annotations(folder / "_class_annotations_gpt.json")
    assert annotations.nouns("red.png", "correct_primary") == ["tomato", "fruit"]
    assert len(annotations) == 9
    assert KEY not in out + err + done.stdout + done.stderr


def test_the_command_tells_what_it_would_ask_and_what_it_asked(folder: Path, predicted: Path):
    with chat_server(truthful) as server:
        words = command(folder, predicted, server.url, "--price", "1000,2000", "--limit", "2")[1:]
        words.remove("--json")
        tried = CliRunner().invoke(annotate.cli, [*words, "--dry-run"])
        assert tried.exit_code == 0
        assert "To judge: 7 nouns of 2 images." in tried.output
        assert "Requests: 6 if all opinions agree, 10 if none do" in tried.output
        assert "Nothing was asked. Without --dry-run the same command asks." in tried.output
        assert server.asked == []
        done = CliRunner().invoke(annotate.cli, words)
    assert done.exit_code == 0
    assert len(server.asked) == 6
    assert "7 of 7 nouns of 2 images judged: 3 correct, 2 close, 2 incorrect." in done.output
    assert "6 answers, 600 tokens read and 60 written, $0.72;" in done.output
    written = folder / "_class_annotations_gpt.json"
    assert f"Next: nomaly score {predicted} --annotations {written}" in done.output
    judged = read_annotations(written)
    assert sorted(judged.images) == ["green.png", "red.png"]


def test_the_command_tells_how_far_the_model_agrees_with_people(folder: Path, predicted: Path):
    people = Annotations({"red.png": {"tomato": "correct_secondary", "car": "close_primary"}})
    write_annotations(folder / "_class_annotations.json", people)
    with chat_server(truthful) as server:
        words = command(folder, predicted, server.url)[1:]
        done = CliRunner().invoke(annotate.cli, words)
        said = json.loads(done.output.splitlines()[-1])["people"]
        assert (said["nouns"], said["share"]) == (2, 0.5)
        words.remove("--json")
        again = CliRunner().invoke(annotate.cli, words).output
    assert len(server.asked) == 9
    assert "Every predicted noun is judged in" in again
    assert "With people, on 2 nouns that both have judged: 50.0% the same" in again


def test_a_second_ctrl_c_leaves_at_once(folder: Path, predicted: Path):
    held, go_on = threading.Event(), threading.Event()

    def behave(asked: Asked, number: int) -> Reply:
        held.set()
        go_on.wait(60)
        return truthful(asked, number)

    with (
        chat_server(behave) as server,
        start_nomaly(*command(folder, predicted, server.url)) as asking,
    ):
        assert held.wait(60)
        asking.send_signal(signal.SIGINT)
        heard, told = asking.first_lines(2)
        asking.send_signal(signal.SIGINT)
        _, err = asking.communicate(timeout=30)
        go_on.set()
    assert "Stopping ..." in heard
    assert "Stopping when the answers under way are kept; Ctrl-C again drops them" in told
    assert (asking.returncode, "Traceback" in err) == (1, False)
    assert "nomaly: stopped; opinions that had come are kept in" in err


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (("--opinions", "many"), "--opinions many: write LEAST..MOST, for example 3..5"),
        (("--opinions", "5..3"), "opinions must be 1 <= least <= most, got 5..3"),
        (("--agree", "0.4"), r"agree must be above 0\.5 and at most 1, got 0\.4"),
        (("--price", "cheap"), "--price cheap: write READ,WRITTEN, for example 2.5,10"),
        (("--annotations", "nowhere/x.json"), "--annotations nowhere/x.json: there is no such f"),
    ],
)
def test_wrong_options_are_told(
    folder: Path, predicted: Path, options: tuple[str, ...], fault: str
):
    words = command(folder, predicted, "http://127.0.0.1:1/v1", *options)[1:]
    with pytest.raises(UsageError, match=fault):
        CliRunner().invoke(annotate.cli, words, catch_exceptions=False)
