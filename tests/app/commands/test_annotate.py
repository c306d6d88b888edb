"""`nomaly annotate human` and `compare` as scripts, newcomers and other web pages meet them."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from typer.testing import CliRunner

from app.commands import annotate
from app.errors import UsageError
from app.names.annotation.human import serving
from app.names.annotation.session import NoSuchItemError, Session
from app.names.annotation.work import find_items
from tests.app.short_watch import run_nomaly, start_nomaly
from training.evaluation.annotations import (
    AnnotationError,
    Annotations,
    read_annotations,
    write_annotations,
)

NOUNS = {"a.jpg": ["cat", "lynx"], "sub/b.png": ["dog"], "c.jpg": ["car", "bus", "sky"]}
UPSIDE_DOWN = 3
ORIENTATION = 0x0112


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    (photos / "sub").mkdir(parents=True)
    turned = Image.new("RGB", (40, 20), "blue")
    turned.paste("red", (0, 0, 40, 10))
    exif = Image.Exif()
    exif[ORIENTATION] = UPSIDE_DOWN
    turned.save(photos / "a.jpg", exif=exif, quality=95)
    Image.new("RGB", (4000, 10), "green").save(photos / "sub" / "b.png")
    (photos / "c.jpg").write_text("no image")
    (tmp_path / "secret.jpg").write_bytes((photos / "a.jpg").read_bytes())
    return photos


def predictions(folder: Path, nouns: dict[str, list[str]] = NOUNS) -> Path:
    path = folder.parent / "predictions.json"
    answers = {"beam": {"pred": list(nouns.values())}}
    path.write_text(json.dumps({"version": 1, "samples": list(nouns), "predictions": answers}))
    return path


@pytest.fixture
def session(folder: Path) -> Session:
    return Session(find_items(folder, NOUNS)[0], Annotations(), folder / "judged.json")


@pytest.fixture
def page(session: Session) -> Iterator[httpx.Client]:
    with serving(session, "127.0.0.1", 0) as address, httpx.Client(base_url=address) as client:
        yield client


def test_judgements_are_saved_one_by_one_and_taken_back(session: Session):
    session.judge(0, "cat", "correct_primary")
    assert read_annotations(session.path).images == {"a.jpg": {"cat": "correct_primary"}}
    session.judge(0, "cat", "close_primary")
    session.judge(2, "sky", "correct_secondary")
    assert session.progress() == {"images": 3, "images_done": 0, "nouns": 6, "nouns_done": 2}
    assert session.undo() == (2, "sky")
    assert session.undo() == (0, "cat")
    assert read_annotations(session.path).images == {"a.jpg": {"cat": "correct_primary"}}
    assert session.undo() == (0, "cat")
    assert session.undo() is None
    assert read_annotations(session.path) == Annotations()
    assert session.made == 0


def test_saying_the_same_again_is_no_step(session: Session):
    session.judge(1, "dog", "incorrect")
    session.judge(1, "dog", "incorrect")
    session.judge(0, "cat", None)
    assert session.state(1)["steps"] == 1


def test_a_session_goes_on_where_it_was_left(session: Session):
    assert session.start() == 0
    session.judge(1, "dog", "incorrect")
    assert Session(session.items, read_annotations(session.path), session.path).start() == 2
    session.judge(0, "cat", "incorrect")
    assert Session(session.items, read_annotations(session.path), session.path).start() == 0
    for noun in NOUNS["c.jpg"]:
        session.judge(2, noun, "incorrect")
    assert session.next_open(2) == 0
    session.judge(0, "lynx", "incorrect")
    assert (session.next_open(2), session.start()) == (None, 2)


def test_other_annotations_of_the_file_stay(folder: Path):
    path = folder / "judged.json"
    write_annotations(
        path, Annotations({"other.jpg": {"x": "incorrect"}, "a.jpg": {"y": "incorrect"}})
    )
    session = Session(find_items(folder, NOUNS)[0], read_annotations(path), path)
    session.judge(0, "cat", "close_secondary")
    session.undo()
    assert read_annotations(path).images == {
        "other.jpg": {"x": "incorrect"},
        "a.jpg": {"y": "incorrect"},
    }


def test_what_cannot_be_saved_is_not_judged(session: Session):
    session.judge(0, "cat", "incorrect")
    session.path = session.path.with_name("gone") / "judged.json"
    with pytest.raises(AnnotationError, match=r"judged\.json: cannot be written"):
        session.judge(0, "lynx", "incorrect")
    with pytest.raises(AnnotationError, match="cannot be written"):
        session.undo()
    assert session.annotations.images == {"a.jpg": {"cat": "incorrect"}}
    assert (session.state(0)["steps"], session.made) == (1, 1)


def test_what_is_not_there_is_refused(session: Session):
    with pytest.raises(NoSuchItemError, match="there is no image 3"):
        session.state(3)
    with pytest.raises(NoSuchItemError, match="image 0 has no noun 'dog'"):
        session.judge(0, "dog", "incorrect")


def test_the_page_judges_and_undoes(page: httpx.Client, session: Session):
    assert page.get("start").json()["name"] == "a.jpg"
    said = page.post("items/0", json={"noun": "cat", "category": "correct_primary"}).json()
    assert said["nouns"] == [
        {"noun": "cat", "category": "correct_primary"},
        {"noun": "lynx", "category": None},
    ]
    assert said["progress"]["nouns_done"] == 1
    assert page.post("undo", json={}).json()["undone"] == "cat"
    assert page.post("undo", json={}).json() is None
    assert page.get("items/2").json()["name"] == "c.jpg"
    assert len(session.annotations) == 0


def test_images_are_shown_upright_and_not_too_large(page: httpx.Client):
    shown = Image.open(BytesIO(page.get("images/0").content))
    red, _, blue = shown.getpixel((20, 15))  # type: ignore[misc] - an RGB image has three
    assert red > 200 > 60 > blue  # the red half of the file is its upper one
    assert Image.open(BytesIO(page.get("images/1").content)).size == (1800, 5)
    broken = page.get("images/2")
    assert (broken.status_code, broken.text) == (422, "is not an image that can be read")


def test_only_whoever_has_the_address_comes_in(page: httpx.Client, session: Session):
    root = httpx.URL(str(page.base_url)).copy_with(path="/")
    for path in ("", "start", "wrong-token/", "wrong-token/start", "docs", "openapi.json"):
        assert httpx.get(root.join(path)).status_code == 404
    judgement = {"noun": "cat", "category": "incorrect"}
    assert httpx.post(root.join("items/0"), json=judgement).status_code == 404
    foreign = {"Origin": "http://evil.example"}
    assert page.post("items/0", json=judgement, headers=foreign).status_code == 403
    assert page.get("start", headers={"Host": "evil.example"}).status_code == 400
    form = {"content": json.dumps(judgement), "headers": {"Content-Type": "text/plain"}}
    assert page.post("items/0", **form).status_code == 422
    assert len(session.annotations) == 0
    token = page.base_url.path.strip("/")
    assert len(token) >= 30


def test_the_page_leaks_nothing_to_other_sites(page: httpx.Client):
    shown = page.get("")
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    # Nothing is fetched from elsewhere: the only foreign addresses are those of look-up links.
    linked = set(re.findall(r"\b(?:src|href)=\"([^\"]+)\"", shown.text)) - {"data:,"}
    assert linked == {"page/page.css", "local_page.js", "page/page.js"}
    for path in linked:
        assert page.get(path).status_code == 200
        assert "http" not in page.get(path).text


@pytest.mark.parametrize(
    "path",
    [
        "images/../../secret.jpg",
        "images/%2e%2e%2f%2e%2e%2fsecret.jpg",
        "images/-1",
        "images/3",
        "page/../human.py",
        "page/%2e%2e/human.py",
        "page/..%2fhuman.py",
    ],
)
def test_no_path_leads_out(page: httpx.Client, path: str):
    asked = page.build_request("GET", "")
    # The client would tidy the path up before it is sent.
    asked.url = asked.url.copy_with(raw_path=page.base_url.raw_path + path.encode())
    assert page.send(asked).status_code == 404


@pytest.mark.parametrize("body", [{"noun": "cat"}, {"noun": "cat", "category": "good"}, []])
def test_judgements_of_another_shape_are_refused(page: httpx.Client, body: object):
    assert page.post("items/0", json=body).status_code == 422


def test_a_full_disk_is_told_to_the_page(page: httpx.Client, session: Session):
    session.path = session.path.with_name("gone") / "judged.json"
    said = page.post("items/0", json={"noun": "cat", "category": "incorrect"})
    assert said.status_code == 507
    assert "cannot be written" in said.text


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "sub/../../secret.jpg", "/etc/passwd", "..", "a\0.jpg"]
)
def test_predictions_cannot_lead_out_of_the_folder(folder: Path, name: str):
    with pytest.raises(UsageError, match=r"lies outside of .*photos; only images of that folder"):
        find_items(folder, {"a.jpg": ["cat"], name: ["x"]})


def test_a_name_may_go_round_within_the_folder(folder: Path):
    names = {"sub/../a.jpg": ["cat"], str(folder / "sub" / "b.png"): ["dog"]}
    assert [item.path.name for item in find_items(folder, names)[0]] == ["a.jpg", "b.png"]


def test_one_image_may_have_several_names(folder: Path):
    names = {"a.jpg": ["cat"], "photos/a.jpg": ["lynx", "cat"], "photos/sub/b.png": ["dog"]}
    found, missing = find_items(folder, names)
    assert [(item.name, item.nouns) for item in found] == [("a.jpg", ("cat", "lynx"))]
    assert missing == ["photos/sub/b.png"]


def test_images_that_are_missing_are_told(folder: Path):
    found, missing = find_items(folder, {**NOUNS, "d.jpg": ["x"], "empty.jpg": []})
    assert (len(found), missing) == (3, ["d.jpg"])
    with pytest.raises(UsageError, match=r"holds none of the images .*'d\.jpg', for example"):
        find_items(folder, {"d.jpg": ["x"]})
    with pytest.raises(UsageError, match=r"secret\.jpg: is not a folder"):
        find_items(folder.parent / "secret.jpg", NOUNS)


def test_a_port_in_use_is_told(session: Session):
    with serving(session, "127.0.0.1", 0) as address:
        port = httpx.URL(address).port
        assert port is not None
        with (
            pytest.raises(UsageError, match=f"--port {port}: cannot be listened on: .*in use"),
            serving(session, "127.0.0.1", port),
        ):
            pass


def test_the_command_serves_until_ctrl_c_and_goes_on_later(folder: Path):
    words = ("annotate", "human", folder, predictions(folder, {**NOUNS, "d.jpg": ["x"]}))
    with start_nomaly(*words, "--no-browser", "--json") as judging:
        lines = judging.first_lines(2)
        assert "Note: 1 images of the predictions are not in" in lines[0]
        address = lines[1].removeprefix("Judge at ").strip()
        assert address.startswith("http://127.0.0.1:")
        judgement = {"noun": "dog", "category": "correct_primary"}
        assert httpx.post(f"{address}items/1", json=judgement).status_code == 200
        judging.send_signal(signal.SIGINT)
        out, err = judging.communicate(timeout=60)
    assert (judging.returncode, "Traceback" in err) == (0, False)
    path = folder / "_class_annotations.json"
    assert json.loads(out.splitlines()[-1]) == {
        "annotations": str(path),
        "judged_now": 1,
        "images": 3,
        "images_done": 1,
        "nouns": 6,
        "nouns_done": 1,
        "missing": ["d.jpg"],
    }
    assert read_annotations(path).images == {"sub/b.png": {"dog": "correct_primary"}}


def test_two_files_are_compared(folder: Path):
    first, second = folder / "one.json", folder / "two.json"
    write_annotations(first, Annotations({"a": {"cat": "correct_primary", "dog": "incorrect"}}))
    write_annotations(
        second, Annotations({"a": {"cat": "correct_primary", "dog": "close_primary"}})
    )
    done = CliRunner().invoke(annotate.cli, ["compare", str(first), str(second), "--json"])
    said = json.loads(done.output.splitlines()[-1])
    assert (said["nouns"], said["grades"]["share"], said["grades"]["kappa"]) == (2, 0.5, 0.3333)
    assert said["differing"] == [["a", "dog", "incorrect", "close_primary"]]
    words = CliRunner().invoke(annotate.cli, ["compare", str(first), str(second)]).output
    assert "Correct, close, incorrect: 50.0% the same, Cohen's kappa 0.33" in words
    assert "a: dog: incorrect, close_primary" in words


def test_broken_annotations_are_one_sentence(folder: Path):
    path = folder / "broken.json"
    path.write_text('{"a.jpg": {"wrong": []}}')
    done = run_nomaly("annotate", "compare", path, path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"nomaly: {path}: image 'a.jpg': unknown category 'wrong'; there")


@pytest.mark.parametrize("command", ["human", "llm", "compare"])
def test_every_command_has_help_with_an_example(command: str):
    said = CliRunner().invoke(annotate.cli, [command, "--help"]).output
    assert f"nomaly annotate {command}" in said.split("Example")[1]


def test_help_needs_no_heavy_library():
    code = (
        "import sys; sys.argv = ['nomaly', 'annotate', '--help']\n"
        "from app.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'openai', 'fastapi', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
