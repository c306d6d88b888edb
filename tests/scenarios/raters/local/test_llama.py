"""llama.cpp in this process, on a tiny model with random weights."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.raters.local import llama_library
from scenarios.raters.local.engines import TOLERANCE, departure, open_engine
from scenarios.raters.local.llama import BATCH, SEQUENCES, Llama
from scenarios.raters.local.llama_library import load_library
from scenarios.raters.local.llama_server import LlamaServer, log_odds_of
from scenarios.raters.local.wordings import Turn
from scenarios.ratings.records import RatingError
from tests.scenarios.raters.local.tiny_gguf import write_tiny_model

ENDINGS = [f" thing {number}?" for number in range(2 * SEQUENCES + 5)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("llm") / "tiny.gguf")


@pytest.fixture
def llama(tiny: Path) -> Iterator[Llama]:
    model = Llama(tiny, threads=1)
    yield model
    model.close()


def test_many_at_once_say_what_each_says_alone(llama: Llama):
    together = llama.log_odds("Is it here:", ENDINGS)
    alone = [llama.log_odds("Is it here:", [ending])[0] for ending in ENDINGS[::17]]
    assert len(together) == len(ENDINGS)
    assert together[::17] == pytest.approx(alone, abs=0.02)
    assert max(together) - min(together) > 0.1
    assert llama.log_odds("Is it here:", ENDINGS[:30]) == pytest.approx(together[:30], abs=0.02)


def test_texts_of_any_length_fill_passes(llama: Llama):
    mixed = [" x" * 100, " y", " z" * 120, " a" * 30, *[" b" * 60] * 7, " y"]
    values = llama.log_odds("Is it here:", mixed)
    assert values[1] == pytest.approx(values[-1], abs=0.02)
    assert values[4:11] == pytest.approx([values[4]] * 7, abs=0.02)


def test_another_prefix_is_another_question(llama: Llama):
    first = llama.log_odds("Is it here:", ENDINGS[:3])
    other = llama.log_odds("Was it ever seen over there, by anybody:", ENDINGS[:3])
    assert first != pytest.approx(other, abs=0.02)
    assert llama.log_odds("Is it here:", ENDINGS[:3]) == pytest.approx(first, abs=1e-6)


def test_a_prefix_longer_than_a_pass_is_read_in_pieces(llama: Llama, tiny: Path):
    prefix = "word " * (BATCH // 4)
    assert llama.token_count(prefix) > BATCH
    value = llama.log_odds(prefix, ENDINGS[:1])
    shifted = llama.log_odds(prefix[5:], ENDINGS[:1])
    assert math.isfinite(value[0])
    assert value != shifted


def test_tokens_are_counted(llama: Llama):
    told: list[int] = []
    llama.log_odds("Is it here:", [" ab", " yes"], told.append)
    assert told == [3 + 2]


def test_the_models_chat_layout_is_used(llama: Llama):
    turns = [Turn("system", "In Köln."), Turn("user", "A lamp?")]
    assert llama.rendered(turns, answering=True) == (
        "<|im_start|>system\nIn Köln.<|im_end|>\n<|im_start|>user\nA lamp?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert llama.rendered(turns[1:], answering=False) == "<|im_start|>user\nA lamp?<|im_end|>\n"


def test_a_description_that_is_too_long_is_refused_and_the_model_still_works(llama: Llama):
    with pytest.raises(RatingError, match=r"take 5,000 tokens and 3,584 fit: shorten"):
        llama.log_odds("x" * 5000, [" y"])
    assert len(llama.log_odds("Is it here:", [" y"])) == 1
    with pytest.raises(RatingError, match="600 tokens cannot be asked for"):
        llama.log_odds("Is it here:", ["y" * 600])


def test_a_file_that_is_no_model_is_refused_in_silence(
    tmp_path: Path, tiny: Path, capfd: pytest.CaptureFixture[str]
):
    cut_off = tmp_path / "cut.gguf"
    cut_off.write_bytes(tiny.read_bytes()[:50_000])
    text = tmp_path / "text.gguf"
    text.write_text("no model")
    for path in (cut_off, text):
        with pytest.raises(RatingError, match=rf"{path.name}: llama.cpp cannot load it: .+ whole"):
            Llama(path, threads=1)
    with pytest.raises(RatingError, match=r"none\.gguf: cannot be read: No such file.*llm fetch"):
        Llama(tmp_path / "none.gguf", threads=1)
    assert capfd.readouterr() == ("", "")


def test_a_model_without_the_words_is_refused(tmp_path: Path):
    model = write_tiny_model(tmp_path / "dumb.gguf", words=("yes",))
    with pytest.raises(RatingError, match=r"dumb\.gguf: has no token for the word no"):
        Llama(model, threads=1)


def test_its_server_can_be_asked_and_closed_at_once(tiny: Path):
    LlamaServer(tiny, threads=1).close()
    server = LlamaServer(tiny, threads=1)
    # Random weights want to say anything but yes or no.
    with pytest.raises(RatingError, match="wants to say neither yes nor no"):
        server.log_odds("Is it here:", [" y"])
    server.close()


def test_log_odds_sum_over_spellings():
    likeliest = {"Yes": math.log(0.3), " yes": math.log(0.3), "no": math.log(0.2), "x": -4.0}
    assert log_odds_of(likeliest) == pytest.approx(math.log(0.6 / 0.2))
    assert log_odds_of({"no": -0.1, "x": -3.0}) == pytest.approx(-3.0 + 0.1)
    with pytest.raises(RatingError, match="neither yes nor no but 'Maybe'"):
        log_odds_of({"Maybe": -0.1, "x": -3.0})


def test_values_that_depart_from_the_known_ones_are_told(llama: Llama):
    assert departure(llama, {}) is None
    (said,) = [departure(llama, {"lamp": 100.0})]
    assert said is not None
    value = float(said.split("gives ")[1].split(" for")[0])
    assert departure(llama, {"lamp": value + TOLERANCE - 0.05}) is None
    assert departure(llama, {"lamp": value + TOLERANCE + 0.05}) is not None


def test_another_build_is_run_through_its_server(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(llama_library, "VERSION", "2020.1.1")
    monkeypatch.setattr(llama_library, "_loaded", [])
    warned: list[str] = []
    engine = open_engine(tiny, 1, warned.append)
    assert isinstance(engine, LlamaServer)
    engine.close()
    assert "and 2020.1.1 is needed" in warned[0]
    assert engine.how != Llama.how


def test_the_library_is_loaded_once():
    assert load_library() is load_library()
