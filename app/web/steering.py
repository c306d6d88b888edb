"""What the page of a site can do to it: read its file again, pause a camera and go on with it."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.web.places import NotThereError
from app.web.state import Web
from app.web.steered import Steered


def steering(web: Web) -> APIRouter:
    """Addresses that change what is watched; of a page that only reads they say so."""
    router = APIRouter(prefix="/api/v1")

    @router.post("/reload")
    def reload() -> dict[str, str]:
        """Read the site's file again; a mistake in it changes nothing and is told by its line."""
        changes = str(_site(web).reload())
        return {"said": f"Read again: {changes or 'nothing has changed'}."}

    @router.post("/cameras/{folder}/pause")
    def pause(
        folder: str, minutes: Annotated[float, Query(description="A week at most.")] = 10
    ) -> dict[str, str]:
        """Do not look at a camera for a while, and be not connected to it; it goes on by itself."""
        _site(web).pause(folder, minutes)
        return {"said": f"{folder} is paused for {minutes:g} min."}

    @router.post("/cameras/{folder}/resume")
    def resume(folder: str) -> dict[str, str]:
        """End a pause now."""
        _site(web).resume(folder)
        return {"said": f"{folder} goes on."}

    return router


def _site(web: Web) -> Steered:
    """The site.

    Raises:
        NotThereError: If it is none.
    """
    if web.steered is None:
        raise NotThereError("only the page of nomaly watch SITE.yaml steers cameras")
    return web.steered
