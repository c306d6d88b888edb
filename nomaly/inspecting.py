"""Stills of parts and surfaces, judged against good ones."""

from collections.abc import Mapping
from pathlib import Path

from app.inspecting import run
from app.inspecting.card import CARD
from app.inspecting.judged import Inspection
from app.inspecting.place import check_free
from app.inspecting.request import SHARE, FitRequest, InspectRequest, fit_request
from app.progress import Reporter
from app.watching.keeping import check_place


def inspect(
    folder: str | Path,
    out: str | Path = "nomaly-inspection",
    *,
    detector: str | Path | None = None,
    false_share: float = SHARE,
    settings: Mapping[str, str] | None = None,
    names: bool = True,
    overwrite: bool = False,
    device: str = "auto",
) -> Inspection:
    """Tell which images are defective, and where, as `nomaly inspect` does.

    Writes report, table, results and maps into `out`.

    Args:
        folder: Of images, of a folder for each kind, or of train/good and test/KIND (MVTec AD).
        out: A folder, new or empty.
        detector: What `fit_stills` made; None learns from the folder's own train/good.
        false_share: Share of good images that may be called defective, when it learns.
        settings: What a detector that learns is made of, as text: `kind` and what differs from it.
        names: Whether defects are named.
        overwrite: Replace an earlier inspection in `out`.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        NomalyError: If the folder holds nothing to inspect or to learn from, or results cannot be
            written.
    """
    check_free(Path(out), overwrite=overwrite)
    request = InspectRequest(
        folder=Path(folder),
        out=Path(out),
        detector=Path(detector) if detector is not None else None,
        fit=_fit(false_share, settings, device),
        names=names,
        device=device,
    )
    return run.inspect(request, Reporter(quiet=True))


def fit_stills(
    folder: str | Path,
    out: str | Path,
    *,
    false_share: float = SHARE,
    settings: Mapping[str, str] | None = None,
    overwrite: bool = False,
    device: str = "auto",
) -> None:
    """Learn what good images look like, for `inspect` and `nomaly inspect --detector`.

    Args:
        folder: Of good images, or one that holds train/good.
        out: Folder for the detector, new.
        false_share: As of `inspect`.
        settings: As of `inspect`.
        overwrite: Replace a detector that lies there.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        NomalyError: If there are fewer than 8 good images, or the detector cannot be written.
    """
    check_place(Path(out), overwrite=overwrite, besides=(CARD,))
    run.fit_stills(
        Path(folder), Path(out), _fit(false_share, settings, device), Reporter(quiet=True)
    )


def _fit(share: float, settings: Mapping[str, str] | None, device: str) -> FitRequest:
    said = dict(settings or {})
    return fit_request(said.pop("kind", None), said, share, device)
