"""Scenarios travel as one file: whole, checked, and never over something unasked."""

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from scenarios.archive import MANIFEST, export_scenario, import_scenario
from scenarios.lock import running
from scenarios.site import load_scenario
from scenarios.yaml_files import ScenarioError
from tests.small_files import small_files

TEXT = (
    "version: 1\nname: hall  # mine\ndescription: A camera in a hall.\ndictionary: base.json\n"
    "bundles:\n- {ft: 6, path: bundles/ft6}\n- {ft: 2, path: /elsewhere/ft2}\n"
)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def hall(tmp_path: Path) -> Path:
    folder = tmp_path / "there" / "hall"
    (folder / "bundles" / "ft6" / "deep").mkdir(parents=True)
    (folder / "bundles" / "ft6" / "deep" / "weights").write_bytes(bytes(range(256)) * 9000)
    (folder / "bundles" / "ft9").mkdir()
    (folder / "bundles" / "ft9" / "unnamed").write_text("stays here")
    (folder / "scenario.yaml").write_text(TEXT)
    (folder / "base.json").write_text("[]")
    (folder / "object_nouns_hall.json").write_text("[]")
    (folder / "work").mkdir()
    (folder / "work" / "cache").write_text("can be made again")
    return folder


@pytest.mark.parametrize("ending", [".zip", ".tar.gz", ".tgz"])
def test_there_and_elsewhere_are_equal(hall: Path, tmp_path: Path, ending: str):
    archive = tmp_path / f"hall{ending}"
    exported = export_scenario(load_scenario(hall), archive)
    assert exported.files == 4
    assert exported.left_out == ["/elsewhere/ft2"]
    first = archive.read_bytes()
    export_scenario(load_scenario(hall), archive, overwrite=True)
    assert archive.read_bytes() == first
    said: list[str] = []
    scenario = import_scenario(archive, tmp_path / "here", say=said.append)
    assert said == [f"Took 4 files out of {archive}."]
    assert scenario.folder == tmp_path / "here" / "hall"
    expected = files(hall)
    for name in ("work/cache", "work/run.lock", "bundles/ft9/unnamed"):
        del expected[name]
    assert files(scenario.folder) == expected
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["hall"]


def test_nothing_is_replaced_unasked(hall: Path, tmp_path: Path):
    archive = tmp_path / "hall.zip"
    export_scenario(load_scenario(hall), archive)
    with pytest.raises(ScenarioError, match="exists already; name another file or say --over"):
        export_scenario(load_scenario(hall), archive)
    (hall / "overlay.yaml").write_text("version: 1\n")
    before = files(hall)
    with pytest.raises(ScenarioError, match="exists already; --overwrite replaces it"):
        import_scenario(archive, hall.parent)
    assert files(hall) == before
    with (
        running(hall),
        pytest.raises(ScenarioError, match=r"another run \(process \d+\) is on this scenario"),
    ):
        import_scenario(archive, hall.parent, overwrite=True)
    assert files(hall) == before
    import_scenario(archive, hall.parent, overwrite=True)
    after = files(hall)
    assert "overlay.yaml" not in after
    assert after["work/cache"] == b"can be made again"
    assert [path.name for path in hall.parent.iterdir()] == ["hall"]


def pack(path: Path, members: dict[str, bytes], told: dict[str, bytes] | None = None) -> Path:
    listed = [
        {
            "path": name.removeprefix("hall/"),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        for name, content in (members if told is None else told).items()
    ]
    manifest = {"format": "nomaly-scenario", "version": 1, "name": "hall", "files": listed}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, json.dumps(manifest))
        for name, content in members.items():
            archive.writestr(name, content)
    return path


GOOD = {"hall/scenario.yaml": b"version: 1\nname: hall\ndescription: A hall.\n"}


@pytest.mark.parametrize(
    ("members", "listed", "told"),
    [
        (GOOD | {"hall/../../evil": b"x"}, None, "'hall/../../evil' in it leads out of the folder"),
        (GOOD | {"hall//evil": b"x"}, None, "leads out of the folder"),
        (GOOD | {"hall/a\\..\\evil": b"x"}, None, "leads out of the folder"),
        (GOOD | {"/evil": b"x"}, GOOD, "'/evil' in it leads out of the folder"),
        (GOOD | {"hall/more": b"x"}, GOOD, "does not hold the files that its manifest lists"),
        (GOOD, GOOD | {"hall/more": b"x"}, "does not hold the files that its manifest lists"),
        (GOOD | {"hall/a": b"x"}, GOOD | {"hall/a": b"y"}, "a in it is damaged"),
        (GOOD | {"hall/a": b"x" * 9000}, GOOD | {"hall/a": b"x"}, "a in it is damaged"),
        ({"hall/overlay.yaml": b""}, None, "holds no scenario.yaml"),
        (
            {"hall/scenario.yaml": b"version: 1\nname: hall\ndescripton: x\n"},
            None,
            r"what it holds is not right: (?s:.*)did you mean description",
        ),
        (
            {"hall/scenario.yaml": GOOD["hall/scenario.yaml"].replace(b"name: hall", b"name: x")},
            None,
            "its manifest says hall, its scenario.yaml x",
        ),
    ],
)
def test_what_is_wrong_is_not_taken(
    tmp_path: Path, members: dict[str, bytes], listed: dict[str, bytes] | None, told: str
):
    root = tmp_path / "a" / "root"
    with pytest.raises(ScenarioError, match=told):
        import_scenario(pack(tmp_path / "x.zip", members, listed), root)
    assert files(tmp_path).keys() == {"x.zip"}
    assert not root.exists() or list(root.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_not_followed(tmp_path: Path, kind: bytes):
    content = {"path": "a", "size": 1, "sha256": "0" * 64}
    manifest = {"format": "nomaly-scenario", "version": 1, "name": "hall", "files": [content]}
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        raw = json.dumps(manifest).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(raw)
        archive.addfile(info, io.BytesIO(raw))
        info = tarfile.TarInfo("hall/a")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(ScenarioError, match="hall/a is a link or a device"):
        import_scenario(tmp_path / "x.tar.gz", tmp_path / "root")
    assert list((tmp_path / "root").iterdir()) == []


def test_damage_anywhere_is_told(hall: Path, tmp_path: Path):
    for name in ("hall.zip", "hall.tar.gz"):
        archive = tmp_path / name
        export_scenario(load_scenario(hall), archive)
        whole = archive.read_bytes()
        for cut in (0, 10, len(whole) // 2, len(whole) - 30):
            archive.write_bytes(whole[:cut])
            with pytest.raises(ScenarioError):
                import_scenario(archive, tmp_path / "here")
        for at in range(40, len(whole), len(whole) // 12):
            archive.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
            try:
                taken = import_scenario(archive, tmp_path / f"flip{at}{name}")
            except ScenarioError:
                continue
            assert files(taken.folder).keys() == {
                "scenario.yaml",
                "base.json",
                "object_nouns_hall.json",
                "bundles/ft6/deep/weights",
            }
            assert files(taken.folder).items() <= files(hall).items()
    assert not (tmp_path / "here" / "hall").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no archive", "is damaged, or no .zip or .tar.gz"),
        (gzip.compress(b"not tar", mtime=0), "is damaged, or no .zip or .tar.gz"),
        (None, "cannot be read or written: No such file"),
    ],
    ids=["text", "gzip", "missing"],
)
def test_foreign_files_are_told(tmp_path: Path, content: bytes | None, told: str):
    if content is not None:
        (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ScenarioError, match=told):
        import_scenario(tmp_path / "x.zip", tmp_path / "root")


def test_other_archives_are_told(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("readme", "x")
    with pytest.raises(ScenarioError, match="is no scenario that nomaly exported"):
        import_scenario(tmp_path / "x.zip", tmp_path / "root")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(MANIFEST, '{"version": 2}')
    with pytest.raises(ScenarioError, match="in it is damaged or of another nomaly"):
        import_scenario(tmp_path / "x.zip", tmp_path / "root")


def test_what_cannot_be_exported(hall: Path, tmp_path: Path):
    scenario = load_scenario(hall)
    with pytest.raises(ScenarioError, match=r"must end in .zip or .tar.gz"):
        export_scenario(scenario, tmp_path / "hall.rar")
    (hall / "base.json").unlink()
    with pytest.raises(ScenarioError, match=r"names base\.json, which is not there"):
        export_scenario(scenario, tmp_path / "hall.zip")
    (hall / "base.json").write_text("[]")
    too_large = "cannot be written: File too large"
    with small_files(5_000), pytest.raises(ScenarioError, match=too_large):
        export_scenario(scenario, tmp_path / "hall.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
