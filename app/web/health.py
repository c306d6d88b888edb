"""Whether the process lives, and whether it does what it is for: for supervisors and people."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.watching.board import Board, Doing
from app.watching.telling import reason

FRESH_S = 10.0
"""A camera whose newest picture is older is not seen by."""


def health_router(board: Board, *, named: bool = False) -> APIRouter:
    """Answers `/healthz` (the process) and `/readyz` (models loaded, a camera that is seen by).

    Args:
        board: Of the cameras.
        named: Whether everybody learns the cameras' names; else only who the guard has let in.
    """
    router = APIRouter()

    @router.get("/healthz")
    def healthz() -> dict[str, bool]:
        return {"ok": True}

    @router.get("/readyz")
    def readyz(request: Request) -> JSONResponse:
        told = readiness(board, named=named or bool(request.scope.get("nomaly.who")))
        return JSONResponse(told, 200 if told["ok"] else 503)

    return router


def readiness(board: Board, *, named: bool = True) -> dict[str, Any]:
    """Whether at least one camera is seen by, and why others are not.

    Args:
        board: Of the cameras.
        named: Whether cameras may be named.

    Returns:
        `ok`, `seen` (how many cameras are), `cameras` (how many are connected), `why` (in words,
        empty if it is ready) and, if they may be named, `unseen`: why, by camera.
    """
    every = [station.doing() for station in board.stations()]
    unseen = {one.camera: why for one in every if (why := _unseen(one))}
    seen = len(every) - len(unseen)
    why = ""
    if not every:
        why = "no camera is connected yet: the models load, or no camera answers"
    elif not seen:
        why = "no camera is seen by"
    told: dict[str, Any] = {"ok": seen > 0, "seen": seen, "cameras": len(every), "why": why}
    return {**told, "unseen": unseen} if named else told


def _unseen(doing: Doing) -> str:
    """Why a camera is not seen by; empty if it is."""
    if doing.doing == "learning":
        return "it learns the normal view"
    if doing.blind is not None:
        return reason(doing.blind)
    if doing.age_s is None:
        return "no picture was looked at yet"
    if doing.age_s > FRESH_S:
        return f"its newest picture is {doing.age_s:.0f} s old"
    return ""
