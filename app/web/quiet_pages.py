"""What a browser shows of silence by meaning: a rule to decide on, and what is quiet."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from app.errors import UsageError
from app.feedback.verdicts import now_us
from app.quieting.telling import leak, until
from app.web.api import the_event
from app.web.finding import Found, found
from app.web.pages import page_of, read_form, whole_page
from app.web.places import reading
from app.web.quieting import Proposal, Wished, ended, kept, past, proposed, silent_at
from app.web.state import Web
from novic.errors import NomalyError
from novic.kinds import kind_masses, kind_sizes

SHOWN = 24
"""Events of the past that are shown at most."""
_OF_KIND = 0.5
"""Share of a noun's meaning that makes it one of a kind."""
_EVER = "ever"


def quiet_pages(web: Web) -> APIRouter:
    """All addresses of it."""
    router = APIRouter(include_in_schema=False)
    _add_rule(router, web)
    _add_list(router, web)
    return router


def _add_rule(router: APIRouter, web: Web) -> None:
    @router.get("/events/{folder}/{event_id}/quiet")
    def quiet(request: Request, folder: str, event_id: str) -> HTMLResponse:
        one = the_event(web, folder, event_id)
        told = _proposal(web, one, {}, measured=False)
        return whole_page(request, web, "quiet", **told, **_choices(web, one))

    @router.get("/parts/quiet/{folder}/{event_id}")
    def proposal(request: Request, folder: str, event_id: str) -> HTMLResponse:
        fields = dict(request.query_params)
        measured = fields.pop("measured", "") != ""
        one = the_event(web, folder, event_id)
        return page_of("proposal", **_proposal(web, one, fields, measured=measured))

    @router.post("/parts/quiet/{folder}/{event_id}")
    async def keep(request: Request, folder: str, event_id: str) -> HTMLResponse:
        posted = parse_qs((await request.body()).decode(errors="replace"))
        fields = {key: values[-1] for key, values in posted.items() if key != "csrf"}
        return await run_in_threadpool(_kept, web, folder, event_id, fields)


def _kept(web: Web, folder: str, event_id: str, fields: Mapping[str, str]) -> HTMLResponse:
    rule, proposal = kept(web, folder, event_id, _wished(fields))
    told = {"rule": rule, "ends": until(rule, now_us()), "leak": leak(rule.leak)}
    return page_of("quieted", place=folder, muted=len(proposal.suggestion.quieted), **told)


def _proposal(web: Web, one: Found, fields: Mapping[str, str], *, measured: bool) -> dict[str, Any]:
    """What a rule would do, or why there is none."""
    told: dict[str, Any] = {"one": one, "fields": fields}
    try:
        wished = _wished(fields)
        found_rule = proposed(web, one.place, one.event.id, wished, measured=measured)
    except UsageError as error:
        # On the page these are fields, not options.
        return told | {"fault": str(error).replace("--", "")}
    except NomalyError as error:
        return told | {"fault": str(error)}
    rule = found_rule.suggestion.rule
    return told | {
        "proposal": found_rule,
        "rule": rule,
        "ends": until(rule, now_us()),
        "leak": leak(rule.leak),
        "warns": _warns(found_rule),
        "quieted": _shown(web, one.place, found_rule),
    }


def _warns(proposal: Proposal) -> bool:
    """Whether something else goes silent, as far as it was measured."""
    measured = proposal.suggestion.rule.leak
    return measured is not None and bool(measured.quieted or measured.lost)


def _shown(web: Web, folder: str, proposal: Proposal) -> list[Found]:
    place = web.places.place(folder)
    with reading(place.folder) as store:
        return found(store, place.name, past(proposal, SHOWN))


def _wished(fields: Mapping[str, str]) -> Wished:
    """What the form says; `what` is a choice between looks, a noun and a kind."""
    said: dict[str, Any] = {key: value for key, value in fields.items() if value}
    if said.get("for_days") == _EVER:
        said["for_days"] = None
    key, _, word = str(said.pop("what", "")).partition(":")
    return read_form(Wished, said | ({key: word} if word else {}))


def _choices(web: Web, one: Found) -> dict[str, Any]:
    """What can be chosen of a rule: kinds of the thing, zones that have names."""
    masses = kind_masses([(one.event.noun, 1.0)])
    kinds = {kind for kind, share in masses.items() if share >= _OF_KIND}
    kinds |= {one.event.thing.noun} & kind_sizes().keys() if one.event.thing is not None else set()
    try:
        rules = silent_at(web, one.place).rules
    except NomalyError:
        rules = ()
    zones = {rule.where.name for rule in rules if rule.where.name}
    return {"kinds": sorted(kinds), "zones": sorted(zones)}


def _add_list(router: APIRouter, web: Web) -> None:
    @router.get("/cameras/{folder}/quiet")
    def quiet(request: Request, folder: str) -> HTMLResponse:
        web.places.place(folder)
        return whole_page(request, web, "quiets", **_list(web, folder))

    @router.post("/parts/quiet-end/{folder}/{number}")
    def end(folder: str, number: int) -> HTMLResponse:
        told = len(ended(web, folder, number))
        again = "1 event is" if told == 1 else f"{told} events are"
        return page_of("silent", **_list(web, folder), news=f"Ended; {again} told again.")


def _list(web: Web, folder: str) -> dict[str, Any]:
    try:
        silent, fault = silent_at(web, folder), ""
    except UsageError as error:
        silent, fault = None, str(error)
    ends = {one.number: until(one, now_us()) for one in silent.rules} if silent is not None else {}
    leaks = {one.number: leak(one.leak) for one in silent.rules} if silent is not None else {}
    return {"place": folder, "silent": silent, "fault": fault, "ends": ends, "leaks": leaks}
