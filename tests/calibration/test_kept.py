"""Fitted scores that are written and read back, and files that are refused."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from calibration.kept import ARRAYS, CARD, KINDS, Kept, KeptError, read_kept, write_kept
from calibration.scores.clusters import ClusterEnergy
from calibration.scores.features import CentreCosine, Knn, Vim
from calibration.scores.fusion import FisherFusion, LogisticFusion
from calibration.scores.gaussians import FittedMahalanobis, MahalanobisPP, Rmd
from calibration.scores.logits import LOGIT_SCORES
from calibration.scores.protocol import Fitted, Pictures, Score
from calibration.scores.pytorch_ood import PytorchOod
from calibration.scores.texts import DictionaryMass, GlMcm, Mcm, NegLabel
from calibration.tagood import TagOod
from tests.calibration.scores.samples import cloud, elsewhere, unit

ENERGY = LOGIT_SCORES[2]
BINDINGS = {"embedder": "starter", "embedder_sha256": "ab" * 32}


def whole(pictures: Pictures, seed: int) -> Pictures:
    """The same with all that any score reads."""
    rng = np.random.default_rng(seed)
    count = len(pictures)
    return replace(
        pictures,
        patches=unit(rng.normal(size=(count * 3, 8))).reshape(count, 3, 8),
        log_p=np.log(rng.dirichlet(np.ones(6), count)[:, :5]),
        inside=rng.random((count, 5)) < 0.5,
        projected=rng.normal(size=(count, 16)),
        tag_p=rng.random(count),
    )


KNOWN, ASKED = whole(cloud(300, 0), 0), whole(cloud(40, 1), 1)


def scores() -> Iterator[tuple[str, Score]]:
    """Every score of the protocol, and fusions of them."""
    texts = np.eye(8, dtype=np.float32)
    singles: list[Score] = [
        *LOGIT_SCORES,
        Knn(),
        MahalanobisPP(),
        Rmd(),
        CentreCosine(),
        ClusterEnergy(),
        Vim(),
        Mcm(texts[:3]),
        GlMcm(texts[:3], tau=0.1),
        NegLabel(texts[:3], texts[3:], seed=3),
        DictionaryMass(renormalise=True),
        TagOod(),
    ]
    if find_spec("pytorch_ood"):
        singles += [PytorchOod("nnguide"), PytorchOod("pnml")]
    for score in singles:
        yield score.name, score
    parts = DictionaryMass(), MahalanobisPP(), ENERGY
    yield "fisher", FisherFusion(parts, seed=4)
    yield "logistic", LogisticFusion(parts, whole(elsewhere(30, 2), 2))
    yield "own logits", ENERGY


@cache
def fitted() -> dict[str, Fitted]:
    own = replace(KNOWN, logits=np.asarray(KNOWN.vectors)[:, :4] * 5)
    return {name: score.fit(own if name == "own logits" else KNOWN) for name, score in scores()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    some = {name: fitted()[name] for name in ("knn", "mahalanobis_pp", "fisher")}
    write_kept(tmp_path, Kept(some, BINDINGS, {"pictures": 300}))
    return tmp_path


def test_every_score_gives_the_same_to_the_last_digit_once_it_is_read_back(tmp_path: Path):
    write_kept(tmp_path / "new" / "kept", Kept(fitted(), BINDINGS, {"nouns": ["cat"]}))
    back = read_kept(tmp_path / "new" / "kept")
    assert list(back.scores) == list(fitted())
    assert (back.bindings, back.facts) == (BINDINGS, {"nouns": ["cat"]})
    asked = replace(ASKED, logits=np.asarray(ASKED.vectors)[:, :4] * 5)
    for name, one in fitted().items():
        expected = one.score(asked)
        assert np.unique(expected).size > 1
        np.testing.assert_array_equal(back.scores[name].score(asked), expected, err_msg=name)


def test_p_of_a_fusion_stays_too(folder: Path):
    before, after = fitted()["fisher"], read_kept(folder).scores["fisher"]
    assert type(before) is type(after)
    np.testing.assert_array_equal(after.pvalue(ASKED), before.pvalue(ASKED))  # pyright: ignore


def test_every_kind_of_fitted_score_can_be_kept():
    """A score that is new needs its line in `FORMS`."""
    import calibration.scores as room

    for file in Path(next(iter(room.__path__))).glob("*.py"):
        module = __import__(f"calibration.scores.{file.stem}", fromlist=["*"])
        for name, one in vars(module).items():
            if name.startswith("Fitted") and name != "Fitted":
                assert name in KINDS, f"{one} cannot be kept"


def test_scores_are_refused_where_something_else_looks(folder: Path):
    kept = read_kept(folder)
    kept.check(BINDINGS, folder)
    with pytest.raises(KeptError, match="with embedder starter, here it is openclip:x; use the"):
        kept.check({"embedder": "openclip:x"}, folder)
    with pytest.raises(KeptError, match="with decoder_sha256 none, here it is 12; use the same"):
        kept.check(BINDINGS | {"decoder_sha256": "12"}, folder)


def changed(folder: Path, change: Callable[[dict], None]) -> None:
    card = json.loads((folder / CARD).read_text())
    change(card)
    (folder / CARD).write_text(json.dumps(card))


def with_arrays(folder: Path, name: str, array: np.ndarray) -> None:
    """Another array in the file, and its SHA-256 in the card."""
    content = save(load_file(folder / ARRAYS) | {name: array})
    (folder / ARRAYS).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    changed(folder, lambda card: card.update(arrays_sha256=digest))


def cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no card": (lambda f: (f / CARD).unlink(), "scores.json: is not there; fit them again"),
    "no arrays": (lambda f: (f / ARRAYS).unlink(), "scores.safetensors: cannot be read: No such"),
    "card cut off": (lambda f: cut(f / CARD), "scores.json: damaged or cut off"),
    "arrays cut off": (lambda f: cut(f / ARRAYS), "safetensors: cut off, or not written with"),
    "other format": (lambda f: changed(f, lambda c: c.update(format="x")), "holds no scores of"),
    "newer": (lambda f: changed(f, lambda c: c.update(version=3)), "is of version 3, this Nomaly"),
    "no scores": (lambda f: changed(f, lambda c: c.pop("scores")), "damaged .'scores' is missing"),
    "unknown kind": (
        lambda f: changed(f, lambda c: c["scores"]["knn"].update(kind="Popen")),
        "damaged .'Popen' is missing",
    ),
    "no score": (
        lambda f: changed(f, lambda c: c["scores"].update(knn=c["scores"]["fisher"]["ranks"])),
        "damaged .Ranks is no score",
    ),
    "text for a number": (
        lambda f: changed(f, lambda c: c["scores"]["knn"].update(neighbours="10")),
        "damaged .FittedKnn.neighbours is of another type",
    ),
    "empty fusion": (
        lambda f: changed(f, lambda c: c["scores"]["fisher"].update(parts=[])),
        "damaged .FittedFisher has no parts",
    ),
    "NaN": (
        lambda f: with_arrays(f, "knn.bank", np.full((300, 8), np.nan)),
        "safetensors: knn.bank holds a number that is not finite",
    ),
    "other form": (
        lambda f: with_arrays(f, "mahalanobis_pp.means", np.ones((1, 7))),
        r"damaged .FittedMahalanobis.white has another form \[8, 8\]",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_refused_with_a_sentence(folder: Path, damage: str):
    spoil, said = DAMAGES[damage]
    spoil(folder)
    with pytest.raises(KeptError, match=said) as told:
        read_kept(folder)
    assert "\n" not in str(told.value)


def test_what_cannot_be_kept_is_told(tmp_path: Path):
    broken = FittedMahalanobis("it", np.full((1, 2), np.nan), np.eye(2))
    with pytest.raises(KeptError, match=r"it\.means: holds a number that is not finite"):
        write_kept(tmp_path, Kept({"it": broken}, BINDINGS))
    with pytest.raises(KeptError, match="it: Own is none of the scores that can be kept"):
        write_kept(tmp_path, Kept({"it": Own()}, BINDINGS))
    (tmp_path / "file").touch()
    with pytest.raises(KeptError, match="file: the scores cannot be written"):
        write_kept(tmp_path / "file", Kept({}, BINDINGS))


def test_more_than_is_read_back_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kept = Kept({"knn": fitted()["knn"]}, BINDINGS, {"nouns": ["cat"] * 1000})
    monkeypatch.setattr("calibration.kept.CARD_BYTES", 5000)
    with pytest.raises(
        KeptError, match=r"json would take [\d,]+ bytes, of which no more than 5,000"
    ):
        write_kept(tmp_path, kept)
    monkeypatch.setattr("calibration.kept.MOST_BYTES", 300 * 8 * 8 - 1)
    with pytest.raises(
        KeptError, match=r"safetensors would take 19,200 bytes, .*no more than 19,19"
    ):
        write_kept(tmp_path, kept)
    assert not list(tmp_path.iterdir())


def test_equal_arrays_are_kept_once(tmp_path: Path):
    bank = fitted()["knn"]
    turned = FittedMahalanobis("it", np.ones((1, 2)), np.array([[1.0, 2], [3, 4]], order="F"))
    straight = FittedMahalanobis("it", np.ones((1, 2)), np.array([[1.0, 3], [2, 4]]))
    every: dict[str, Fitted] = {"knn": bank, "again": bank, "turned": turned, "straight": straight}
    write_kept(tmp_path, Kept(every, BINDINGS))
    assert set(load_file(tmp_path / ARRAYS)) == {"knn.bank", "turned.means", "turned.white"}
    back = read_kept(tmp_path).scores
    for name in ("knn", "again"):
        np.testing.assert_array_equal(back[name].score(ASKED), bank.score(ASKED))
    for name, one in (("turned", turned), ("straight", straight)):
        found = back[name]
        assert isinstance(found, FittedMahalanobis)
        np.testing.assert_array_equal(found.white, one.white)


def test_tables_come_back_as_they_were(tmp_path: Path):
    tables = {
        "pictures": np.arange(16, dtype=np.uint8).reshape(2, 8),
        "tuning": np.empty((0, 8), np.uint8),
    }
    write_kept(tmp_path, Kept({}, BINDINGS, tables=tables))
    back = read_kept(tmp_path).tables
    assert list(back) == ["pictures", "tuning"]
    for name, table in tables.items():
        assert back[name].dtype == np.uint8
        np.testing.assert_array_equal(back[name], table)


@pytest.mark.skipif(find_spec("pytorch_ood") is None, reason="pytorch-ood is not installed")
def test_a_score_whose_package_is_missing_is_left_out_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    some = {name: fitted()[name] for name in ("nnguide", "knn")}
    write_kept(tmp_path, Kept(some, BINDINGS))
    for name in [name for name in sys.modules if name.startswith("pytorch_ood")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pytorch_ood", None)
    back = read_kept(tmp_path)
    assert list(back.scores) == ["knn"]
    assert back.left_out["nnguide"].startswith("this score needs the package pytorch_ood, which is")


class Own:
    """A score of somebody's own."""

    def score(self, batch: Pictures) -> np.ndarray:
        return np.zeros(len(batch))
