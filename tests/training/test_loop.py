import json
import multiprocessing
import random
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from novic.bundle import load_bundle, read_card
from novic.errors import UsageError
from tests.training.memory_source import CONFIG, NOUNS, small_data, small_sizes, train_aloud
from training import loop
from training.batches import Batch
from training.checkpoint import TENSORS
from training.distilling.distil import TrainingStopped
from training.held_out import collect_held_out, held_out_rows
from training.loop import train
from training.loop_config import RunOptions, TrainConfig
from training.noise import NoiseConfig
from training.step import TrainingError

SHORT = replace(CONFIG, epochs=1)


def run(out: Path, config: TrainConfig = SHORT, options: RunOptions | None = None) -> dict:
    data = small_data()
    return train(data, small_sizes(data), config, out, options=options)


def final_tensors(out: Path) -> dict[str, torch.Tensor]:
    (folder,) = (out / "work").glob("checkpoint-*")
    return load_file(folder / TENSORS)


def lines(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def timeless(found: list[dict]) -> list[dict]:
    return [{key: value for key, value in line.items() if "per_s" not in key} for line in found]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    run(out, CONFIG)
    return out


def test_a_small_task_is_learnt(tmp_path: Path):
    config = replace(CONFIG, epochs=14, accumulate=1)
    metrics = run(tmp_path, config)
    assert metrics["held_out_samples"] >= 30
    assert metrics["clean_noun_top1"] > 0.95
    assert metrics["noised_noun_top1"] > 0.9
    first, *_, last = lines(tmp_path)
    assert last["loss"] < first["loss"] / 2
    bundle = load_bundle(tmp_path)
    assert bundle.metrics["clean_noun_top1"] == metrics["clean_noun_top1"]
    assert bundle.tokens.nouns == small_data().tokens.nouns
    provenance = read_card(tmp_path)["provenance"]
    assert provenance["training"]["noise"]["scheme"] == "GaussElemUniformAngle"
    assert provenance["cache"] == "memory"


def test_a_run_killed_at_any_step_ends_with_the_same_weights(whole: Path, tmp_path: Path):
    wanted = random.SystemRandom().randrange(5, lines(whole)[-1]["step"] - 2)
    forking = multiprocessing.get_context("forkserver")
    steps, told = forking.Pipe(duplex=False)
    process = forking.Process(target=train_aloud, args=(tmp_path, told))
    process.start()
    told.close()
    while steps.recv() < wanted:
        pass
    process.kill()
    process.join()
    steps.close()
    assert process.exitcode == -signal.SIGKILL
    said: list[int] = []
    run(tmp_path, CONFIG, RunOptions(report=lambda _, done, *__: said.append(done)))
    assert said[0] > 1, "there was no checkpoint to go on from"
    expected, found = final_tensors(whole), final_tensors(tmp_path)
    assert found.keys() == expected.keys()
    differing = [name for name, tensor in expected.items() if not torch.equal(found[name], tensor)]
    assert not differing, f"killed at step {wanted}, gone on from {said[0]}"
    assert timeless(lines(tmp_path)) == timeless(lines(whole))


def test_a_stopped_run_goes_on_bit_for_bit_also_past_a_half_written_checkpoint(
    whole: Path, tmp_path: Path
):
    asked = iter([False] * 7 + [True])
    with pytest.raises(TrainingStopped, match="stopped after step 8 of"):
        run(tmp_path, CONFIG, RunOptions(stopping=lambda: next(asked)))
    assert not (tmp_path / "bundle.json").exists()
    part = tmp_path / "work" / "checkpoint-000000009.part"
    part.mkdir()
    (part / TENSORS).write_bytes(b"half a fi")
    said: list[int] = []
    run(tmp_path, CONFIG, RunOptions(report=lambda _, done, *__: said.append(done)))
    assert said[0] == 9
    assert not part.exists()
    expected, found = final_tensors(whole), final_tensors(tmp_path)
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert timeless(lines(tmp_path)) == timeless(lines(whole))


def test_a_finished_run_is_not_made_again(whole: Path, tmp_path: Path):
    out = tmp_path / "copy"
    shutil.copytree(whole, out)
    (out / "bundle.json").unlink()
    said: list[int] = []
    run(out, CONFIG, RunOptions(report=lambda _, done, *__: said.append(done)))
    assert said == []
    assert read_card(out) == read_card(whole)


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = iter([False] * 3 + [True])
    with pytest.raises(TrainingStopped):
        run(tmp_path, SHORT, RunOptions(stopping=lambda: next(asked)))
    before = sorted((tmp_path / "work").iterdir())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.checkpoint.save_file", full)
    with pytest.raises(TrainingError, match="No space left on device; the one before is kept"):
        run(tmp_path, SHORT)
    assert sorted((tmp_path / "work").iterdir()) == before


def test_a_damaged_checkpoint_is_told(whole: Path, tmp_path: Path):
    out = tmp_path / "copy"
    shutil.copytree(whole, out)
    (folder,) = (out / "work").glob("checkpoint-*")
    content = bytearray((folder / TENSORS).read_bytes())
    content[-5] ^= 1
    (folder / TENSORS).write_bytes(content)
    with pytest.raises(TrainingError, match="its SHA-256 is not the one in state"):
        run(out, CONFIG)
    (folder / "state.json").write_text("{")
    with pytest.raises(TrainingError, match="the checkpoint is damaged, remove"):
        run(out, CONFIG)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (replace(CONFIG, learning_rate=1e-3), "training.learning_rate was 0.003 and is now 0.001"),
        (
            replace(CONFIG, noise=NoiseConfig()),
            "training.noise.scheme was 'GaussElemUniformAngle' and is now ''",
        ),
        (replace(CONFIG, seed=4), "training.seed was 3 and is now 4"),
    ],
)
def test_another_configuration_is_refused(whole: Path, config: TrainConfig, said: str):
    with pytest.raises(TrainingError, match=said):
        run(whole, config)


def test_another_cache_embedder_dictionary_or_size_is_refused(whole: Path):
    data = small_data()
    sizes = small_sizes(data)
    with pytest.raises(TrainingError, match="is of a run on another cache"):
        train(replace(data, cache="other"), sizes, CONFIG, whole)
    with pytest.raises(TrainingError, match="on vectors of 'starter', and this cache holds those"):
        train(replace(data, embedder="openclip:x"), sizes, CONFIG, whole)
    renamed = replace(data.tokens, nouns=(*data.tokens.nouns[:-1], "other"))
    with pytest.raises(TrainingError, match="is of a run with another dictionary"):
        train(replace(data, tokens=renamed), sizes, CONFIG, whole)
    with pytest.raises(TrainingError, match=r"decoder.layers was 2 and is now 3"):
        train(data, replace(sizes, layers=3), CONFIG, whole)


def test_metrics_are_written_now_and_then(whole: Path):
    found = lines(whole)
    assert len(found) >= loop.MEASURED_AT_LEAST
    assert [line["step"] for line in found] == sorted({line["step"] for line in found})
    names = ("token_top1", "noun_top1")
    for line in found:
        for name in (f"{kind}_{name}" for kind in ("clean", "noised") for name in names):
            assert 0 <= line[name] <= 1


def test_progress_tells_loss_accuracy_rate_and_time(tmp_path: Path):
    notes: list[str] = []
    run(tmp_path, options=RunOptions(report=lambda *told: notes.append(told[3])))
    assert notes[-1].startswith("loss ")
    assert "top-1 " in notes[-1]
    assert notes[-1].endswith(" targets/s")


def test_tensorboard_is_written_when_asked_for(tmp_path: Path):
    pytest.importorskip("tensorboard")
    run(tmp_path / "plain")
    assert not (tmp_path / "plain" / "tensorboard").exists()
    run(tmp_path / "board", options=RunOptions(tensorboard=True))
    assert list((tmp_path / "board" / "tensorboard").glob("events.*"))


def test_held_out_samples_are_never_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[torch.Tensor] = []

    def spy(batch: Batch, *arguments: object, **named: object):
        seen.append(batch.vectors)
        return real(batch, *arguments, **named)  # pyright: ignore[reportArgumentType]

    real = loop.lay_out
    monkeypatch.setattr(loop, "lay_out", spy)
    run(tmp_path)
    held = collect_held_out(small_data().source, CONFIG.held_out)
    assert held is not None
    trained = {vector.numpy().tobytes() for vector in torch.cat(seen)}
    kept = {vector.numpy().tobytes() for vector in held.vectors}
    assert not trained & kept
    assert len(trained) > 0.7 * len(small_data().source)


def test_the_share_that_is_held_out_is_what_was_asked_for():
    vectors = torch.nn.functional.normalize(
        torch.randn(50_000, 16, generator=torch.Generator().manual_seed(0)), dim=1
    )
    rounded = vectors.half().float()
    for share in (0.0, 0.005, 0.5):
        found = float(held_out_rows(rounded, share).float().mean())
        assert found == pytest.approx(share, abs=0.002 + 0.01 * share)
    assert torch.equal(held_out_rows(vectors, 0.1)[:99], held_out_rows(vectors[:99], 0.1))


def test_nothing_is_held_out_if_so_wanted(tmp_path: Path):
    run(tmp_path, replace(SHORT, held_out=0.0))
    assert "clean_noun_top1" not in lines(tmp_path)[-1]
    assert lines(tmp_path)[-1]["train_token_top1"] > 0


def test_too_small_a_cache_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="480 samples are fewer than the 2048 of one step"):
        run(tmp_path, replace(CONFIG, batch_size=1024))


def test_wrong_settings_are_refused():
    with pytest.raises(UsageError, match="epochs must be at least 1, got 0"):
        TrainConfig(epochs=0)
    with pytest.raises(UsageError, match="learning_rate must be above 0, got nan"):
        TrainConfig(learning_rate=float("nan"))
    with pytest.raises(UsageError, match="weight_decay must be 0 or more"):
        TrainConfig(weight_decay=-0.1)
    with pytest.raises(UsageError, match="held_out must be from 0 to below 1"):
        TrainConfig(held_out=1.0)


def test_deterministic_and_bfloat16_runs_repeat(tmp_path: Path):
    config = replace(SHORT, deterministic=True, bfloat16=True)
    for name in ("a", "b"):
        run(tmp_path / name, config)
    first, second = final_tensors(tmp_path / "a"), final_tensors(tmp_path / "b")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.are_deterministic_algorithms_enabled()
    assert len(load_bundle(tmp_path / "a").tokens.nouns) == NOUNS
