"""What a browser shows: whole pages, and the parts of them that are fetched anew."""

from functools import cache
from typing import Annotated, Any
from urllib.parse import parse_qs, quote, urlencode

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from app.errors import UsageError
from app.events.zones import zones_of
from app.feedback.verdicts import now_us
from app.lengths import told_about
from app.report.times import clock, local
from app.web.api import before_text, read_before, the_event, told_zones, zones_now
from app.web.cameras import CameraNow
from app.web.finding import PAGE, Filters, Found, fits, found_events
from app.web.line import SPANS_H, line_of, usual_hours
from app.web.meaning import by_meaning
from app.web.places import reading
from app.web.saying import Said, say
from app.web.state import Web
from app.web.supposing import Supposed, supposed_outcome
from app.web.zoning import proposed_zones, zones_outcome
from app.why.asking import why
from calibration.promise import BARS

TOLD = "told"
"""The state that is listed unless another is asked for."""
_WEEK = 7
"""Days for which drawn zones are tried."""


def pages(web: Web) -> APIRouter:
    """All addresses of the page."""
    router = APIRouter(include_in_schema=False)
    _add_home(router, web)
    _add_parts(router, web)
    _add_event(router, web)
    _add_camera(router, web)
    return router


def _add_home(router: APIRouter, web: Web) -> None:
    @router.get("/")
    def home(request: Request, filters: Annotated[Filters, Query()]) -> HTMLResponse:
        filters = _default(filters)
        cameras = web.cameras.all()
        listed = found_events(web.places, filters, PAGE)
        return whole_page(request, web, "home", **_listing(filters, listed), cameras=cameras)

    @router.get("/parts/wall")
    def wall() -> HTMLResponse:
        return page_of("wall", cameras=web.cameras.all())


def _add_parts(router: APIRouter, web: Web) -> None:
    @router.get("/parts/events")
    def events(filters: Annotated[Filters, Query()], before: str = "") -> HTMLResponse:
        listed = found_events(web.places, filters, PAGE, read_before(before))
        return page_of("list", **_listing(filters, listed))

    @router.get("/parts/meaning")
    def meaning(text: str = "") -> HTMLResponse:
        meant = by_meaning(web.places, text, PAGE)
        return page_of("meant", filters=Filters(), meant=meant, text=text)

    @router.get("/parts/card/{folder}/{event_id}")
    def card(
        folder: str, event_id: str, filters: Annotated[Filters, Query()], large: str = ""
    ) -> Response:
        one = fits(web.places.place(folder), event_id, filters)
        return Response(status_code=204) if one is None else page_of(_shape(large), one=one)

    @router.post("/parts/answer/{folder}/{event_id}")
    async def answer(request: Request, folder: str, event_id: str, large: str = "") -> HTMLResponse:
        said = _said(await request.body())
        shape = _shape(large)
        return await run_in_threadpool(_answered, web, folder, event_id, said, shape)


def _shape(large: str) -> str:
    """The template of an event: a card of the list, or what is told where it is shown large."""
    return "facts" if large else "card"


def _answered(web: Web, folder: str, event_id: str, said: Said, shape: str) -> HTMLResponse:
    place = web.places.place(folder)
    the_event(web, folder, event_id)
    done = say(place, event_id, said)
    one = the_event(web, folder, event_id)
    return page_of(shape, one=one, news=_told(one, said, done))


def _told(one: Found, said: Said, done: dict[str, Any]) -> str:
    """What was done, for whoever pressed the key."""
    what = done.get("noun") or one.event.headline
    muted, told = len(done["muted"]), len(done["told"])
    match said.answer:
        case "normal":
            others = "" if muted < 2 else f", and {muted - 1} more went silent"
            return f"{what} is normal here for 30 days{others}. U takes it back."
        case "renamed":
            return f"{what} is {said.noun}. U takes it back."
        case "none":
            return f"Taken back{f'; {told} are told again' if told else ''}."
        case "keep":
            return f"{what} is kept for good. S takes it back."
        case "keep_no_longer":
            return f"{what} is kept as long as the storage says."
        case "confirmed":
            return f"{what}: right. U takes it back."
        case _:
            return f"{what}: false alarm. U takes it back."


def _said(body: bytes) -> Said:
    fields = {key: values[-1] for key, values in parse_qs(body.decode(errors="replace")).items()}
    fields.pop("csrf", None)
    return read_form(Said, fields)


def read_form[M: BaseModel](kind: type[M], fields: dict[str, Any]) -> M:
    """What a form says.

    Raises:
        UsageError: If it makes no sense.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _add_event(router: APIRouter, web: Web) -> None:
    @router.get("/events/{folder}/{event_id}")
    def event(request: Request, folder: str, event_id: str) -> HTMLResponse:
        return whole_page(request, web, "event", one=the_event(web, folder, event_id))

    @router.get("/parts/event/{folder}/{event_id}")
    def shown(folder: str, event_id: str) -> HTMLResponse:
        return page_of("shown", one=the_event(web, folder, event_id))

    @router.get("/parts/why/{folder}/{event_id}")
    def receipt(folder: str, event_id: str) -> HTMLResponse:
        place = web.places.place(folder)
        the_event(web, folder, event_id)
        return page_of("why", receipt=why(place.folder, event_id)[0])


def _add_camera(router: APIRouter, web: Web) -> None:
    @router.get("/cameras/{folder}")
    def camera(
        request: Request, folder: str, hours: int = 0, until_us: int | None = None
    ) -> HTMLResponse:
        place = web.places.place(folder)
        filters = Filters(camera=folder, state=TOLD)
        with reading(place.folder) as store:
            hours = hours if hours in SPANS_H else usual_hours(store)
            line = line_of(store, hours, until_us)
        listed = found_events(web.places, filters, PAGE)
        now = web.cameras.now(place)
        told = {"now": now, "line": line, "hours": hours, "spans": SPANS_H, "moved": until_us}
        return whole_page(request, web, "camera", **_listing(filters, listed), **told)

    @router.get("/parts/health/{folder}")
    def health(folder: str) -> HTMLResponse:
        return page_of("health", now=web.cameras.now(web.places.place(folder)))

    @router.get("/cameras/{folder}/zones")
    def zones(request: Request, folder: str, event: str = "") -> HTMLResponse:
        place = web.places.place(folder)
        one = the_event(web, folder, event) if event else None
        drawn = proposed_zones(web, folder, event) if event else zones_now(place)
        told = {"now": web.cameras.now(place), "one": one, "zones": told_zones(drawn)}
        return whole_page(request, web, "zones", **told)

    @router.post("/parts/would-zones/{folder}")
    def zones_would(folder: str, said: Annotated[dict[str, Any], Body()]) -> HTMLResponse:
        found = zones_outcome(web, folder, zones_of(said), _WEEK)
        return page_of("outcome", outcome=found, supposed=None, place=folder, site=web.steered)

    @router.get("/cameras/{folder}/would")
    def would(request: Request, folder: str) -> HTMLResponse:
        now = web.cameras.now(web.places.place(folder))
        return whole_page(request, web, "would", now=now, bars=BARS)

    @router.get("/parts/would/{folder}")
    def outcome(folder: str, bar: str = "", false_events: str = "", days: int = 7) -> HTMLResponse:
        fields = {"bar": bar or None, "false_events": false_events, "days": days}
        supposed = read_form(Supposed, fields)
        found = supposed_outcome(web, folder, supposed)
        return page_of("outcome", outcome=found, supposed=supposed, place=folder, site=web.steered)


def _default(filters: Filters) -> Filters:
    """The filters of a page that was opened without any."""
    return filters if filters.model_fields_set else Filters(state=TOLD)


def _listing(filters: Filters, listed: list[Found]) -> dict[str, Any]:
    wanted = {key: value for key, value in filters.model_dump().items() if value}
    more = ""
    if len(listed) == PAGE:
        more = urlencode(wanted | {"before": before_text(listed[-1])})
    return {"filters": filters, "listed": listed, "more": more, "query": urlencode(wanted)}


@cache
def _templates() -> Environment:
    loader = PackageLoader("app.web", "pages")
    made = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {
        "when": _when,
        "date": _date,
        "lasted": told_about,
        "clock": clock,
        "part": quote,
        "ago": _ago,
    }
    made.globals |= {"group": _group, "state": _state}
    return made


def whole_page(request: Request, web: Web, name: str, **told: object) -> HTMLResponse:
    """A whole page; what it sends brings along that only it knows (`app.web.guard`)."""
    scope = request.scope
    lets = {"csrf": scope.get("nomaly.csrf", ""), "who": scope.get("nomaly.who", "")}
    return page_of(name, **lets, **told, site=web.steered is not None)


def page_of(name: str, **told: object) -> HTMLResponse:
    """A part of a page, by the name of its template."""
    return HTMLResponse(_templates().get_template(f"{name}.html.j2").render(told))


def _when(time_us: int) -> str:
    """A time, with its day if that is not this one."""
    when, now = local(time_us), local(now_us())
    return f"{when:%H:%M:%S}" if when.date() == now.date() else f"{when:%a %d %b %H:%M:%S}"


def _date(time_us: int) -> str:
    return f"{local(time_us):%Y-%m-%d}"


def _ago(time_us: int) -> str:
    return f"{told_about(max((now_us() - time_us) / 1e6, 0))} ago"


def _group(one: Found) -> str:
    """How an event looks: `camera`, `silent`, `sure` or `unsure`."""
    event = one.event
    if event.muted:
        return "silent"
    if event.kind == "camera":
        return "camera"
    return "sure" if event.sure or event.of_sure_kind else "unsure"


_STATES = {
    "elsewhere": "watched by another process",
    "stopped": "not watched now",
    "finished": "finished",
    "ended": "played to its end",
    "empty": "nothing was looked at yet",
}


def _state(now: CameraNow) -> str:
    """What a camera does, for people."""
    if now.fault:
        return f"blind: {now.fault}"
    return _STATES.get(now.doing, now.doing)
