"""Writes the file of a site, its secrets beside it, and the schema that editors check it by."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from app.beginning.cameras import Camera
from app.errors import UsageError
from app.private import is_private
from app.service.environment import FILE, read_env
from app.service.schema import site_schema
from novic.whole_files import write_whole

SCHEMA = "nomaly.schema.json"
_SITE = """# yaml-language-server: $schema={schema}
# A site: its cameras, and what becomes of what they see. docs/site.md explains every key.
# Check it after a change: nomaly config check {file}
version: 1
site: {site}
# folder: ./{site}              # where results go; by default this one, beside this file
# scenario: airbus             # names things with the decoder that was built for such a site

defaults:                      # for all cameras that do not say otherwise
  learn: 60s                   # the first minute shows nothing unusual, it is learned from
  fps: 5                       # pictures a second that are looked at
  false_events: 1/hour         # at most so many that are nothing
  # tell: any animal but the cat

cameras:
{cameras}
# Where events go besides; passwords stand in .env, mode 600.
# sinks:
#   - jsonl:events.jsonl
#   - "mqtt:mqtt://${{MQTT_USER}}:${{MQTT_PASSWORD}}@192.0.2.2/nomaly"
#   - "webhook:${{HOOK}}"
# on_event: [./notify.sh]      # run for every event, which it gets as JSON

# retention: {{days: 30, gigabytes: 50}}
# clips: {{before: 5s, after: 5s}}
# page: {{port: 8080}}           # from elsewhere it needs a password: nomaly password
"""
_MORE = """    # exclude: ["0,0 1,0 1,.2 0,.2"]   # not watched: corners as shares of width, height
    # zones: ["0,.5 1,.5 1,1 0,1"]     # or: nothing else is watched
    # detector: hall-detector          # fitted before (nomaly fit), in place of learn
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    site: Path
    env: Path | None
    """None if nothing is secret."""
    schema: Path | None
    """None if it was there already."""


def check_new(out: Path) -> None:
    """Refuse a file that is there already, before anything is written.

    Raises:
        UsageError: If it is, or its folder is not there.
    """
    if out.exists() or out.is_symlink():
        raise UsageError(
            f"--out {out}: is there already and stays as it is; name another file, or add the "
            "camera there by hand"
        )
    if not out.absolute().parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.absolute().parent}")


def write_site(out: Path, site: str, cameras: Sequence[Camera]) -> Written:
    """Write all files; what is there already stays.

    Args:
        out: The site's file, which is not there yet.
        site: Its name.
        cameras: At least one.

    Raises:
        UsageError: If a file is there already, cannot be written, or others can read `.env`.
    """
    check_new(out)
    folder = out.absolute().parent
    secrets = {name: text for camera in cameras for name, text in camera.secrets.items()}
    env = folder / FILE if secrets else None
    schema = folder / SCHEMA
    try:
        if env is not None:
            _add(env, secrets)
        made = _write_new(schema, f"{json.dumps(site_schema(), indent=2)}\n")
        if not _write_new(out, site_text(out.name, site, cameras)):
            check_new(out)
    except OSError as error:
        raise UsageError(
            f"{error.filename or out}: cannot be written: {error.strerror or error}"
        ) from error
    return Written(out, env, schema if made else None)


def site_text(file: str, site: str, cameras: Iterable[Camera]) -> str:
    """The file's text.

    Args:
        file: Its name, for the hint to check it.
        site: The site's name.
        cameras: At least one.
    """
    blocks = []
    for number, camera in enumerate(cameras):
        note = f"  # {camera.note}" if camera.note else ""
        # JSON's quoting is YAML's, and keeps `: ` and ` #` of an address in it.
        plain = camera.source.isdecimal()
        source = camera.source if plain else json.dumps(camera.source, ensure_ascii=False)
        block = f"  {_key(camera.name)}:\n    source: {source}{note}\n"
        blocks.append(block + (_MORE if number == 0 else ""))
    return _SITE.format(schema=SCHEMA, file=file, site=_key(site), cameras="".join(blocks))


def _key(name: str) -> str:
    """A name, in quotes where YAML would take it for a number or for yes or no."""
    return name if yaml.safe_load(name) == name else json.dumps(name)


def _add(env: Path, secrets: Mapping[str, str]) -> None:
    """Add lines to a file that only its owner can read; its own stay as they are.

    Raises:
        UsageError: If others can read it.
        OSError: If it cannot be written.
    """
    before = ""
    if env.exists():
        if not is_private(env):
            raise UsageError(
                f"{env}: can be read by other users of this machine, and a password is to go "
                f"into it; chmod 600 {env}"
            )
        before = env.read_text(encoding="utf-8-sig")
        before += "" if not before or before.endswith("\n") else "\n"
    # The outer quotes are taken off again, whatever stands between them.
    lines = "".join(f"{name}='{text}'\n" for name, text in secrets.items())
    umask = os.umask(0o077)
    try:
        write_whole(env, f"{before}{lines}".encode())
    finally:
        os.umask(umask)


def _write_new(path: Path, text: str) -> bool:
    """Write a file unless it is there; returns whether it was not."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    return True


def known_names(out: Path) -> set[str]:
    """Names that `.env` beside a file has already.

    Raises:
        app.service.errors.SiteError: If it cannot be read.
    """
    kept, _ = read_env(out.absolute().parent / FILE)
    return set(kept)
