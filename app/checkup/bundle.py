"""A file to send to who helps: what was found, what is installed, the site without its secrets."""

import json
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

import yaml

from app.checkup.scrub import Scrubber, scrubber_of, shown_site
from app.doctor import Finding, versions
from app.errors import UsageError
from app.events.schema import STORE
from app.service.errors import SiteError
from app.service.reading import load_site
from scenarios.yaml_files import ScenarioError, read_yaml

LINES = 200
"""Newest notes and blind times of each camera that go along."""
_NOTES = (
    "SELECT time_us, text FROM note UNION ALL "
    "SELECT start_us, 'blind: ' || reason || ': ' || detail FROM gap ORDER BY 1 DESC LIMIT ?"
)


def write_bundle(path: Path, findings: Sequence[Finding], site: Path | None) -> list[str]:
    """Write a zip file without passwords, tokens, names of users and pictures.

    Args:
        path: A new file.
        findings: What the doctor found.
        site: The site's file, if one was looked at.

    Returns:
        The names of what lies in it.

    Raises:
        UsageError: If there is such a file, or it cannot be written.
    """
    scrub = scrubber_of(site)
    parts = dict(_parts(findings, site, scrub))
    try:
        with path.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in parts.items():
                archive.writestr(name, scrub(text))
    except FileExistsError as error:
        raise UsageError(f"--bundle {path}: is there already; name a new file") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"--bundle {path}: cannot be written: {why}") from error
    return list(parts)


def _parts(
    findings: Sequence[Finding], site: Path | None, scrub: Scrubber
) -> Iterator[tuple[str, str]]:
    """Names and texts; the texts of people are scrubbed once more when all is written."""
    yield "findings.txt", "\n".join(_line(finding) for finding in findings) + "\n"
    # Each value by itself: JSON writes some signs of a secret otherwise.
    said = [{key: scrub(text) for key, text in one.as_json().items()} for one in findings]
    yield "findings.json", json.dumps(said, indent=2, ensure_ascii=False)
    packages = sorted({f"{one.metadata['Name']} {one.version}" for one in distributions()})
    yield "versions.txt", "\n".join([versions(), *packages, ""])
    if site is None:
        return
    try:
        document = read_yaml(site)
        yield "site.yaml", yaml.safe_dump(shown_site(document.value), sort_keys=False)
        folder = load_site(site).folder
    except (SiteError, ScenarioError) as error:
        yield "site-faults.txt", str(error)
        return
    for store in sorted(folder.glob(f"*/{STORE}")):
        yield f"notes/{store.parent.name}.txt", _notes(store)


def _line(finding: Finding) -> str:
    remedy = f"\n        {finding.remedy}" if finding.remedy else ""
    return f"{finding.state:8}{finding.name}: {finding.detail}{remedy}"


def _notes(store: Path) -> str:
    """The newest notes and blind times of a store, the last at the end."""
    address = f"{store.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=2)) as database:
            rows = database.execute(_NOTES, (LINES,)).fetchall()
    except sqlite3.Error as error:
        return f"cannot be read: {error}\n"
    return "".join(
        f"{datetime.fromtimestamp(time_us / 1e6, UTC):%Y-%m-%d %H:%M:%S}Z {text}\n"
        for time_us, text in reversed(rows)
    )
