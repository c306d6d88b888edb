"""xllamacpp's server in this process, on a tiny model with random weights."""

import math
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scenarios.raters.local.llama_server import LlamaServer
from scenarios.raters.local.wordings import Turn
from scenarios.ratings.records import RatingError
from tests.scenarios.raters.local.tiny_gguf import write_tiny_model

ENDINGS = [f" thing {number}?" for number in range(12)]
TURNS = [Turn("system", "In Köln."), Turn("user", "A lamp?")]
CHATML = (
    "<|im_start|>system\nIn Köln.<|im_end|>\n<|im_start|>user\nA lamp?<|im_end|>\n"
    "<|im_start|>assistant\n"
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("llm") / "tiny.gguf")


@pytest.fixture
def llama(tiny: Path) -> Iterator[LlamaServer]:
    model = LlamaServer(tiny, threads=1)
    yield model
    model.close()


def test_what_is_said_of_one_does_not_hang_on_the_others(llama: LlamaServer, tiny: Path):
    together = llama.log_odds("Is it here:", ENDINGS)
    fresh = LlamaServer(tiny, threads=1)
    alone = [fresh.log_odds("Is it here:", [ending])[0] for ending in reversed(ENDINGS[::5])]
    fresh.close()
    assert len(together) == len(ENDINGS)
    assert together[::5] == pytest.approx(alone[::-1], abs=0.02)
    assert max(together) - min(together) > 0.1


def test_another_prefix_is_another_question(llama: LlamaServer):
    first = llama.log_odds("Is it here:", ENDINGS[:3])
    other = llama.log_odds("Was it ever seen over there, by anybody:", ENDINGS[:3])
    assert first != pytest.approx(other, abs=0.02)
    assert llama.log_odds("Is it here:", ENDINGS[:3]) == pytest.approx(first, abs=0.02)


def test_a_long_prefix_is_read_from_its_first_word_on(llama: LlamaServer):
    prefix = "word " * 700
    value = llama.log_odds(prefix, ENDINGS[:1])
    other = llama.log_odds("sword " + prefix[5:], ENDINGS[:1])
    assert math.isfinite(value[0])
    assert value != other


def test_only_what_is_new_is_read(llama: LlamaServer):
    told: list[int] = []
    llama.log_odds("Is it here:", [" ab", " yes"], told.append)
    # It reads byte by byte, but for yes and no.
    assert told == [len("Is it here: ab"), len(["yes"])]


def test_the_models_chat_layout_is_used(llama: LlamaServer, tmp_path: Path):
    assert llama.rendered(TURNS, answering=True) == CHATML
    assert llama.rendered(TURNS[1:], answering=False) == "<|im_start|>user\nA lamp?<|im_end|>\n"
    answered = [*TURNS, Turn("assistant", "Yes.")]
    assert llama.rendered(answered, answering=False) == f"{CHATML}Yes.<|im_end|>\n"
    other = LlamaServer(write_tiny_model(tmp_path / "m.gguf", template="[INST]"), threads=1)
    assert other.rendered(TURNS, answering=True) == "[INST] In Köln.\nA lamp? [/INST]"
    other.close()


def test_where_llama_cpp_does_not_know_the_layout_it_is_chatml(tmp_path: Path):
    path = write_tiny_model(tmp_path / "odd.gguf", template="{{ raise_exception('no system') }}")
    odd = LlamaServer(path, threads=1)
    assert odd.rendered(TURNS, answering=True) == CHATML
    odd.close()


def test_a_description_that_is_too_long_is_refused_and_the_model_still_works(llama: LlamaServer):
    with pytest.raises(RatingError, match=r"take 5,002 tokens and 4,096 fit: shorten"):
        llama.log_odds("x" * 5000, [" y"])
    assert len(llama.log_odds("Is it here:", [" y"])) == 1


def test_a_file_that_is_no_model_is_refused_in_silence(
    tmp_path: Path, tiny: Path, capfd: pytest.CaptureFixture[str]
):
    cut_off = tmp_path / "cut.gguf"
    cut_off.write_bytes(tiny.read_bytes()[:50_000])
    text = tmp_path / "text.gguf"
    text.write_text("no model")
    for path in (cut_off, text):
        with pytest.raises(RatingError, match=rf"{path.name}: llama.cpp cannot load it: .+ whole"):
            LlamaServer(path, threads=1)
    with pytest.raises(RatingError, match=r"none\.gguf: cannot be read: No such file.*llm fetch"):
        LlamaServer(tmp_path / "none.gguf", threads=1)
    assert capfd.readouterr() == ("", "")


def test_a_model_without_the_words_is_refused(tmp_path: Path):
    model = write_tiny_model(tmp_path / "dumb.gguf", words=("yes",))
    with pytest.raises(RatingError, match=r"dumb\.gguf: has no token for the word no"):
        LlamaServer(model, threads=1)


def test_it_can_be_closed_at_once(tiny: Path):
    LlamaServer(tiny, threads=1).close()


def test_what_a_model_would_rather_say_is_no_matter(tmp_path: Path):
    # Random weights want to say anything but yes or no.
    server = LlamaServer(write_tiny_model(tmp_path / "random.gguf"), threads=1)
    values = server.log_odds("Is it here:", ENDINGS)
    server.close()
    assert max(values) - min(values) > 0.1


def test_log_odds_sum_over_spellings(tmp_path: Path):
    """Against the server's own probabilities of all its tokens."""
    words = ("yes", "Yes", "YES", "no", "No")
    server = LlamaServer(write_tiny_model(tmp_path / "m.gguf", words=words), threads=1)
    address = f"http://{server.address}/completion"
    asked = {"prompt": "Is it here: y", "n_predict": 1, "n_probs": 1000, "temperature": 0}
    told = httpx.post(address, json=asked).json()["completion_probabilities"][0]["top_logprobs"]
    (value,) = server.log_odds("Is it here:", [" y"])
    server.close()
    of = {item["token"]: math.exp(item["logprob"]) for item in told}
    yes, no = (sum(of[word] for word in some) for some in (words[:3], words[3:]))
    assert value == pytest.approx(math.log(yes / no), abs=1e-4)
