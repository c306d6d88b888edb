"""The page of a watch in a real browser, by keys alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from app.events.clips import keep_clips
from app.events.event import clip_name
from app.events.schema import read_database
from app.events.store import Changes, SourceProgress, Store
from app.events.zones import saved_zones
from app.feedback.answers import answers_in
from app.feedback.verdicts import Verdicts
from app.media.video import VideoWriter
from app.sources.base import Gap
from app.watching.board import Board, Station
from app.web.guard import GuardConfig
from app.web.serving import serve_beside
from tests.app.builders import a_frame
from tests.app.feedback.verdicts import a_run_of
from tests.app.feedback.verdicts import seen as thing
from tests.app.web.builders import BEGAN_US, a_site, event_id, seen
from tests.app.web.test_api import Steering
from tests.app.web.test_live import Watched
from tests.peers.test_report import PHONE, browser, chromium, show

__all__ = ["browser", "chromium"]

pytestmark = pytest.mark.slow

CAT, CAT_AGAIN, DOG = thing(1, 0), thing(2, 15), thing(3, 80, "dog")
ANYWHERE = GuardConfig(port=0)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    a_site(tmp_path)
    (tmp_path / "yard").mkdir()
    a_run_of(tmp_path / "yard", CAT, CAT_AGAIN, DOG)
    return tmp_path


@pytest.fixture
def source() -> Watched:
    watched = Watched()
    watched.show(a_frame())
    return watched


@pytest.fixture
def page(browser: webdriver.Chrome, site: Path, source: Watched) -> Iterator[webdriver.Chrome]:
    """The first page, with the hall live."""
    board, station = Board(), Station(site / "hall", source)
    station.looked(a_frame(), [], 0.0)
    with board.showing(station), serve_beside(site, board, ANYWHERE) as opened:
        browser.get(opened.link)
        until(browser, "document.getElementById('link')?.dataset.state === 'on'")
        yield browser
        browser.get("about:blank")


def until(page: webdriver.Chrome, true: str) -> None:
    """Wait until an expression of the page is true."""
    WebDriverWait(page, 20, poll_frequency=0.05).until(
        lambda _: page.execute_script(f"return {true}"), true
    )


def press(page: webdriver.Chrome, *keys: str) -> None:
    for key in keys:
        ActionChains(page).send_keys(key).perform()


def news(page: webdriver.Chrome, part: str) -> None:
    until(page, f"document.getElementById('news').textContent.includes({json.dumps(part)})")


def headlines(page: webdriver.Chrome) -> list[str]:
    return page.execute_script(
        "return [...document.querySelectorAll('#list h2')].map((one) => one.firstChild.data.trim())"
    )


def said_of(folder: Path, event_id: str) -> tuple[str, str] | None:
    database = read_database(folder)
    found = answers_in(database, [event_id]).get(event_id)
    database.close()
    return None if found is None else (found.verdict, found.noun)


def test_an_event_is_answered_by_single_keys(page: webdriver.Chrome, site: Path):
    assert headlines(page)[:4] == ["suitcase", "person", "black picture", "cat"]
    hall, gate = site / "hall", site / "gate"
    press(page, "j", "c")
    news(page, "suitcase: right")
    assert said_of(hall, event_id(9, "hall")) == ("confirmed", "")
    # The card that was answered is still the one that keys act on.
    press(page, "j", "x")
    news(page, "person: false alarm")
    assert said_of(gate, event_id(3, "gate")) == ("false_alarm", "")
    press(page, "r")
    until(page, "document.activeElement.name === 'noun'")
    press(page, "mannequin" + Keys.ENTER)
    news(page, "person is mannequin")
    assert said_of(gate, event_id(3, "gate")) == ("renamed", "mannequin")
    press(page, "u")
    news(page, "Taken back")
    assert said_of(gate, event_id(3, "gate")) is None
    press(page, "k", "u")
    until(page, "document.activeElement.getAttribute('aria-label').startsWith('suitcase')")
    until(page, "document.activeElement.querySelector('.said') === null")
    assert said_of(hall, event_id(9, "hall")) is None


def test_what_is_normal_goes_silent_and_comes_back(page: webdriver.Chrome, site: Path):
    page.get(page.current_url + "?camera=yard&state=told")
    until(page, "document.getElementById('link')?.dataset.state === 'on'")
    assert len(headlines(page)) == 3
    card = page.find_element(By.CSS_SELECTOR, f"[data-key='yard/{CAT.event.id}']")
    page.execute_script("arguments[0].focus()", card)
    press(page, "n")
    news(page, "cat is normal here for 30 days, and 1 more went silent")
    # The other one leaves the list by itself; the one that was answered stays, to be taken back.
    until(page, "document.querySelectorAll('#list article').length === 2")
    press(page, "u")
    news(page, "2 are told again")
    until(page, "document.querySelectorAll('#list article').length === 3")
    assert Verdicts(site / "yard" / "detector").all() == []


def test_an_event_is_shown_large_with_heat_and_why(page: webdriver.Chrome):
    press(page, "j", "j", Keys.ENTER)
    until(page, "document.getElementById('large').open")
    until(page, "document.querySelector('.why .gates') !== null")
    assert page.find_element(By.CSS_SELECTOR, "#large h2").text.startswith("person")
    press(page, "h")
    until(page, "!document.querySelector('.whole .heat').hidden")
    press(page, "j")
    until(page, "document.querySelector('#large h2').textContent.startsWith('black picture')")
    press(page, Keys.ESCAPE)
    until(page, "!document.getElementById('large').open")
    until(page, "document.activeElement.getAttribute('aria-label').startsWith('black picture')")


def test_an_event_that_is_large_is_answered_where_it_is(page: webdriver.Chrome, site: Path):
    press(page, "j", "j", Keys.ENTER)
    until(page, "document.activeElement.matches('#large article')")
    press(page, "c")
    news(page, "person: right")
    until(page, "document.querySelector('#large .said')?.textContent === 'You confirmed it.'")
    press(page, "r")
    until(page, "document.activeElement.matches('#large [name=noun]')")
    press(page, "mannequin" + Keys.ENTER)
    news(page, "person is mannequin")
    assert said_of(site / "gate", event_id(3, "gate")) == ("renamed", "mannequin")
    press(page, "u", "j")
    until(page, "document.querySelector('#large h2').textContent.startsWith('black picture')")


def test_the_page_of_an_event_has_the_answers_of_its_card(page: webdriver.Chrome, site: Path):
    page.get(f"{page.current_url}events/gate/{event_id(3, 'gate')}")
    until(page, "document.getElementById('link')?.dataset.state === 'on'")
    press(page, "x")
    news(page, "person: false alarm")
    until(page, "document.querySelector('article .said')?.textContent.includes('false alarm')")
    assert said_of(site / "gate", event_id(3, "gate")) == ("false_alarm", "")
    press(page, "s")
    news(page, "person is kept for good")
    until(page, "document.querySelector('[data-keep]').ariaPressed === 'true'")
    press(page, "s")
    news(page, "as long as the storage says")
    press(page, "r")
    until(page, "document.activeElement.name === 'noun'")
    press(page, "mannequin" + Keys.ENTER)
    news(page, "person is mannequin")
    # What is new elsewhere does not come into the page of one event.
    assert page.execute_script("return document.querySelectorAll('article').length") == 1


def test_such_things_are_quieted_and_told_again_by_keys(page: webdriver.Chrome, site: Path):
    root = page.current_url
    page.get(f"{root}events/yard/{CAT.event.id}")
    until(page, "document.getElementById('link')?.dataset.state === 'on'")
    press(page, "q")
    until(page, "document.querySelector('.sets') !== null")
    shown = page.find_element(By.ID, "proposal").text
    assert "It would have quieted 2 of the 3 events" in shown
    assert "could not be measured" in shown, "the camera of this test keeps no view"
    page.find_element(By.NAME, "hours").send_keys("25" + Keys.TAB)
    until(page, "document.querySelector('#proposal .warns')?.textContent.includes('no hours')")
    page.find_element(By.NAME, "hours").clear()
    page.find_element(By.NAME, "days").send_keys(Keys.ENTER)
    until(page, "document.querySelector('.sets') !== null")
    page.find_element(By.CSS_SELECTOR, ".sets button").send_keys(Keys.ENTER)
    until(page, "document.querySelector('#proposal h2')?.textContent.startsWith('Quiet: cat')")
    assert "2 events went silent" in page.find_element(By.ID, "proposal").text
    until(page, "document.activeElement.matches('.proposal')")
    press(page, Keys.TAB, Keys.ENTER)
    until(page, "document.querySelector('#silent li') !== null")
    page.find_element(By.CSS_SELECTOR, "#silent button").send_keys(Keys.ENTER)
    until(page, "document.querySelector('#silent .said')?.textContent.startsWith('Ended; 2')")
    page.get(f"{root}?camera=yard&state=told")
    assert len(headlines(page)) == 3


def test_the_place_of_an_event_is_left_out_by_keys(page: webdriver.Chrome, site: Path):
    press(page, "j", "j", "j", "j", "i")
    until(page, "document.querySelector('#outcome h2') !== null")
    assert "would have been lost" in page.find_element(By.CSS_SELECTOR, "#outcome h2").text
    assert page.find_elements(By.CSS_SELECTOR, "#draw polygon.exclude")
    assert saved_zones(site / "hall") is None
    page.find_element(By.ID, "save").send_keys(Keys.ENTER)
    until(page, "document.getElementById('saved').textContent.startsWith('Saved in')")
    drawn = saved_zones(site / "hall")
    assert drawn is not None
    assert len(drawn.exclude) == 1


def test_filters_and_search_change_the_list_without_a_new_page(page: webdriver.Chrome):
    page.execute_script("window.same = true")
    press(page, "/")
    until(page, "document.activeElement.id === 'text'")
    press(page, "person")
    until(page, "document.querySelectorAll('#list article').length === 1")
    assert headlines(page) == ["person"]
    press(page, *[Keys.BACKSPACE] * 6)
    until(page, "document.querySelectorAll('#list article').length > 3")
    page.execute_script(
        "const one = document.querySelector('[name=state]'); one.value = 'silent';"
        "one.dispatchEvent(new Event('change', { bubbles: true }))"
    )
    until(page, "document.querySelectorAll('#list article').length === 1")
    assert headlines(page) == ["dog"]
    assert page.execute_script("return window.same")


def test_news_come_by_themselves_and_are_said(page: webdriver.Chrome, site: Path, source: Watched):
    with Store(site / "gate") as store:
        run_id = store.required_run().id
        at = SourceProgress("gate", "rtsp://gate/1", (60, 80), 0.0, 0.0)
        store.save(run_id, Changes(at, [seen(30, "ladder", "gate", state="opened")]))
    news(page, "New: ladder, gate")
    until(page, "document.querySelector('#list h2').textContent.startsWith('ladder')")
    source.gaps.append(Gap(1, None, "ended", "the stream ended"))
    news(page, "hall is blind: connection lost")
    until(page, "document.querySelector('#tile-hall .badge').textContent.includes('blind')")


def test_the_live_picture_shows_itself(page: webdriver.Chrome, source: Watched):
    until(page, "document.querySelector('#tile-hall img.live').naturalWidth > 0")
    page.find_element(By.CSS_SELECTOR, "#tile-hall a.view").send_keys(Keys.ENTER)
    until(page, "document.querySelector('img.big')?.naturalWidth > 0")
    source.show(a_frame())
    # The timeline is there too, and each event in it can be reached.
    assert len(page.find_elements(By.CSS_SELECTOR, ".line a")) == 4
    assert page.find_elements(By.CSS_SELECTOR, ".line rect.gap")


def test_zones_are_drawn_and_removed_by_keys(page: webdriver.Chrome, site: Path):
    page.get(page.current_url + "cameras/hall/zones")
    until(page, "typeof paint === 'function' && document.querySelector('#draw img').complete")
    page.execute_script("document.getElementById('draw').focus()")
    right, down = [Keys.ARROW_RIGHT] * 4, [Keys.ARROW_DOWN] * 4
    press(page, " ", *right, " ", *down, " ", Keys.ENTER)
    until(page, "document.querySelectorAll('#shapes li').length === 1")
    page.find_element(By.ID, "save").send_keys(Keys.ENTER)
    until(page, "document.getElementById('saved').textContent.startsWith('Saved in')")
    drawn = saved_zones(site / "hall")
    assert drawn is not None
    assert drawn.exclude == (((0.5, 0.5), (0.6, 0.5), (0.6, 0.6)),)
    page.find_element(By.CSS_SELECTOR, "#shapes button").send_keys(Keys.ENTER)
    page.find_element(By.ID, "save").send_keys(Keys.ENTER)
    until(page, "document.getElementById('yaml').textContent.startsWith('exclude: []')")


def test_a_clip_plays_where_the_event_is_shown(page: webdriver.Chrome, site: Path):
    clip = site / "gate" / clip_name(event_id(3, "gate"))
    clip.parent.mkdir(exist_ok=True)
    with VideoWriter(clip, (90, 160), 10) as writer:
        for number in range(20):
            writer.write(np.full((90, 160, 3), 10 * number, np.uint8), number / 10)
    keep_clips(site / "gate", {event_id(3, "gate"): BEGAN_US})
    page.get(f"{page.current_url}events/gate/{event_id(3, 'gate')}")
    # Chromium plays sound only once somebody has pressed something.
    page.execute_script("Object.assign(document.querySelector('video'), {muted: true}).play()")
    until(page, "document.querySelector('video').currentTime > 1")
    pictures = "[...document.querySelectorAll('.shown .pictures img')]"
    until(page, f"{pictures}.every((one) => one.complete && one.naturalWidth > 0)")
    assert page.execute_script(f"return {pictures}.length") == 3, "whole, heat and crop"


def test_events_are_found_by_meaning_and_the_list_comes_back(
    browser: webdriver.Chrome, tmp_path: Path
):
    with serve_beside(a_site(tmp_path), None, ANYWHERE) as opened:
        browser.get(opened.link)
        until(browser, "document.getElementById('link')?.dataset.state === 'on'")
        words = browser.find_element(By.CSS_SELECTOR, "[aria-label='Search by meaning'] input")
        words.send_keys("a cat on the left" + Keys.ENTER)
        until(browser, "document.querySelector('[data-meant]') !== null")
        assert "cat" in headlines(browser)[:3]
        assert "found by" in browser.find_element(By.CSS_SELECTOR, "#list article").text
        browser.find_element(By.CSS_SELECTOR, "[data-meant] a").click()
        until(browser, "document.querySelector('[data-meant]') === null")
        browser.get("about:blank")


def test_another_bar_is_tried_on_the_page(page: webdriver.Chrome):
    page.get(f"{page.current_url}cameras/hall/would")
    bar = page.find_element(By.NAME, "bar")
    bar.send_keys("2.5" + Keys.ENTER)
    until(page, "document.querySelector('#outcome h2') !== null")
    assert "instead of 2" in page.find_element(By.CSS_SELECTOR, "#outcome h2").text
    assert "--bar 2.5" in page.find_element(By.ID, "outcome").text


def test_a_site_is_paused_and_its_file_read_again(browser: webdriver.Chrome, site: Path):
    steered = Steering(site)
    with serve_beside(site, None, ANYWHERE, steered) as opened:
        browser.get(opened.link)
        until(browser, "document.querySelector('#tile-hall [data-post]') !== null")
        assert "paused until" in browser.find_element(By.ID, "tile-hall").text
        assert "blind: cannot be reached" in browser.find_element(By.ID, "tile-barn").text
        browser.find_element(By.CSS_SELECTOR, "#tile-hall [data-post]").send_keys(Keys.ENTER)
        news(browser, "hall goes on")
        assert steered.done == ["hall on"]
        browser.find_element(By.CSS_SELECTOR, "[data-post$=reload]").send_keys(Keys.ENTER)
        until(browser, "!document.getElementById('fault').hidden")
        lines = browser.find_element(By.ID, "fault").text.splitlines()
        assert lines[1] == "site.yaml:4: cameras.hall.lern: unknown key"
        # The browser notes that it was refused, and nothing else.
        assert ["422" in one["message"] for one in browser.get_log("browser")] == [True]
        browser.get("about:blank")


def test_logging_out_closes_the_page(page: webdriver.Chrome):
    page.find_element(By.CSS_SELECTOR, "[action='/logout'] button").send_keys(Keys.ENTER)
    until(page, "location.pathname === '/login'")
    page.get(page.current_url.replace("/login", "/cameras/hall"))
    until(page, "location.pathname === '/login'")
    # A picture that was still being asked for is refused.
    assert all("401" in one["message"] for one in page.get_log("browser"))


def test_light_and_dark_are_chosen_and_kept(page: webdriver.Chrome):
    def ground() -> str:
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = ground()
    page.find_element(By.ID, "theme").send_keys(Keys.ENTER)
    dark = ground()
    assert dark != light
    page.refresh()
    assert ground() == dark
    page.execute_script("localStorage.clear()")
    press(page, "?")
    until(page, "document.getElementById('help').open")
    press(page, Keys.ESCAPE)
    until(page, "!document.getElementById('help').open")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "cameras/hall",
        "cameras/hall/zones",
        "cameras/hall/would",
        "cameras/yard/quiet",
        f"events/yard/{CAT.event.id}",
        f"events/yard/{CAT.event.id}/quiet",
    ],
)
def test_on_a_phone_nothing_is_cut_and_nothing_is_too_small(page: webdriver.Chrome, path: str):
    show(page, PHONE)
    page.get(page.current_url + path)
    until(page, "document.getElementById('link')?.dataset.state === 'on'")
    assert page.execute_script("return document.documentElement.scrollWidth") == PHONE[0]
    small = page.execute_script(
        "return [...document.querySelectorAll('button, select, input:not([type=radio]), a.button')]"
        ".filter((one) => one.offsetParent !== null && one.offsetHeight < 44)"
        ".map((one) => one.outerHTML)"
    )
    assert small == []


def test_nothing_is_asked_of_another_machine(page: webdriver.Chrome):
    asked = page.execute_script(
        "return performance.getEntriesByType('resource').map((one) => new URL(one.name).host)"
    )
    assert set(asked) == {page.execute_script("return location.host")}
