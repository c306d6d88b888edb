"""The review page in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from app.local_page import leading_to, serving
from app.sites.review.page import review_page
from app.sites.review.session import ReviewSession
from scenarios.overlay import Edit, read_overlay
from tests.app.sites.review.builders import site_session
from tests.peers.pages import settle
from tests.peers.test_report import browser, chromium

__all__ = ["browser", "chromium"]

pytestmark = pytest.mark.slow


@pytest.fixture
def session(tmp_path: Path) -> ReviewSession:
    return site_session(tmp_path)


@pytest.fixture
def page(browser: webdriver.Chrome, session: ReviewSession) -> Iterator[webdriver.Chrome]:
    with serving(review_page(session), "127.0.0.1", 0) as address:
        browser.get(address)
        until(browser, "rows.length === 5")
        yield browser
        settle(browser)


def until(page: webdriver.Chrome, true: str) -> None:
    """Wait until an expression of the page is true."""
    WebDriverWait(page, 20, poll_frequency=0.05).until(
        lambda _: page.execute_script(f"return {true}"), true
    )


def press(page: webdriver.Chrome, *keys: str) -> None:
    for key in keys:
        ActionChains(page).send_keys(key).perform()


def nouns(page: webdriver.Chrome) -> list[str]:
    return [cell.text for cell in page.find_elements(By.CSS_SELECTOR, "td.noun b")]


def test_a_person_rates_locks_and_leaves_out_by_keys(
    page: webdriver.Chrome, session: ReviewSession
):
    assert nouns(page)[:3] == ["airplane", "rivet", "cowl"]
    press(page, "x", Keys.ARROW_DOWN, "l")
    until(page, "rows[1].edit !== null")
    press(page, Keys.ARROW_DOWN, "0")
    until(page, "rows[2].edit !== null")
    assert read_overlay(session.path).edits == {
        "airplane": Edit(excluded=True),
        "cowl": Edit(rating=10.0),
        "rivet": Edit(rating=8.0, locked=True),
    }
    press(page, "u")
    until(page, "rows.length === 5 && rows[2].edit === null")
    assert set(read_overlay(session.path).edits) == {"airplane", "rivet"}


def test_searching_editing_and_noting_by_hand(page: webdriver.Chrome, session: ReviewSession):
    page.find_element(By.CSS_SELECTOR, "[data-view=downs]").click()
    until(page, "view === 'downs' && rows[0].noun === 'cow'")
    press(page, "/")
    ActionChains(page).send_keys("apple").perform()
    until(page, "rows.length === 1 && rows[0].noun === 'apple'")
    field = page.find_element(By.CSS_SELECTOR, ".acts input")
    field.send_keys("3.5", Keys.ENTER)
    until(page, "rows[0].edit !== null && rows[0].edit.rating === 3.5")
    note = page.find_element(By.CSS_SELECTOR, ".note")
    note.send_keys("in the canteen", Keys.ENTER)
    until(page, "rows[0].edit.note === 'in the canteen'")
    assert read_overlay(session.path).edits == {"apple": Edit(3.5, note="in the canteen")}


def test_a_rating_beyond_the_scale_is_refused_in_words(
    page: webdriver.Chrome, session: ReviewSession
):
    field = page.find_element(By.CSS_SELECTOR, ".acts input")
    field.send_keys("11", Keys.ENTER)
    until(page, "!document.getElementById('fault').hidden")
    assert page.find_element(By.ID, "fault").text == "That is not a rating from 1 to 10."
    assert not session.path.exists()
    [refused] = page.get_log("browser")  # Chromium notes it, too.
    assert "422" in refused["message"]


def test_words_are_explained_and_meanings_shown(page: webdriver.Chrome, session: ReviewSession):
    session.meaning = lambda noun: "ductile pin" if noun == "rivet" else ""
    page.refresh()
    until(page, "rows.length === 5")
    assert page.find_element(By.CSS_SELECTOR, "td.noun span").text == "ductile pin"
    words = page.find_element(By.ID, "words")
    assert "each bit is twice as much" not in words.text
    words.find_element(By.TAG_NAME, "summary").click()
    assert "each bit is twice as much" in words.text


def test_a_rating_changes_frequency_and_bits_before_the_eyes(page: webdriver.Chrome):
    cells = [page.find_elements(By.CSS_SELECTOR, f"td.{name}")[4] for name in ("frequency", "bits")]
    assert [cell.text for cell in cells] == ["1 (12)", "-4.6"]
    press(page, *[Keys.ARROW_DOWN] * 4, "8")
    until(page, "rows[4].edit !== null")
    cells = [page.find_elements(By.CSS_SELECTOR, f"td.{name}")[4] for name in ("frequency", "bits")]
    assert [cell.text for cell in cells] == ["24 (12)", "0.0"]


def test_columns_are_sorted_by_a_click(page: webdriver.Chrome):
    head = page.find_element(By.CSS_SELECTOR, "[data-sort=noun]")
    head.click()
    until(page, "rows[0].noun === 'airplane' && sort === 'noun'")
    head.click()
    until(page, "rows[0].noun === 'rivet' && falling")
    assert head.find_element(By.XPATH, "..").get_attribute("aria-sort") == "descending"


def test_several_are_left_out_at_once_and_taken_back_at_once(
    page: webdriver.Chrome, session: ReviewSession
):
    for box in page.find_elements(By.CSS_SELECTOR, "td.pick input")[:2]:
        box.click()
    assert page.find_element(By.ID, "picked").text == "2"
    page.find_element(By.CSS_SELECTOR, "[data-bulk=out]").click()
    until(page, "rows[0].excluded !== null && rows[1].excluded !== null && picked.size === 0")
    out = {"airplane": Edit(excluded=True), "rivet": Edit(excluded=True)}
    assert read_overlay(session.path).edits == out
    press(page, "u")
    until(page, "rows[0].excluded === null")
    assert read_overlay(session.path).edits == {}


def test_a_noun_is_added(page: webdriver.Chrome, session: ReviewSession):
    press(page, "a")
    ActionChains(page).send_keys("tug master", Keys.ENTER).perform()
    until(page, "view === 'edited' && rows.length === 1 && rows[0].noun === 'tug master'")
    assert read_overlay(session.path).edits == {"tug master": Edit(rating=10.0)}


def test_what_was_looked_at_is_counted_and_done_ends(
    page: webdriver.Chrome, session: ReviewSession
):
    press(page, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    until(page, "find('counts').textContent.startsWith('2 looked at, 0 edited, of 6')")
    assert not session.done
    page.find_element(By.ID, "done").click()
    until(page, "document.querySelector('.ended') !== null")
    assert session.done


@pytest.fixture
def phone(browser: webdriver.Chrome, session: ReviewSession) -> Iterator[webdriver.Chrome]:
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        with serving(review_page(session), "127.0.0.1", 0) as address:
            browser.get(address)
            until(browser, "rows.length === 5")
            yield browser
            settle(browser)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_on_a_phone_nothing_is_cut_and_thumbs_meet_what_they_aim_at(phone: webdriver.Chrome):
    width = phone.execute_script("return document.documentElement.scrollWidth")
    assert width <= phone.execute_script("return window.innerWidth") == 390
    small = phone.execute_script(
        "return [...document.querySelectorAll('button, input:not([type=checkbox]), select, label')]"
        ".filter((one) => one.offsetParent !== null && one.offsetHeight < 44)"
        ".map((one) => one.outerHTML)"
    )
    assert small == []
    # No noun is broken into pieces: each stands on one line.
    heights = phone.execute_script(
        "return [...document.querySelectorAll('td.noun b')].map((one) => one.offsetHeight)"
    )
    assert max(heights) < 30
    seen = phone.execute_script(
        "return [...document.querySelectorAll('tbody tr')][0].getBoundingClientRect().right"
    )
    assert seen <= 390


def test_it_asks_nobody_else(page: webdriver.Chrome):
    asked = page.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).host)"
    )
    assert set(asked) == {page.execute_script("return location.host")}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_file_of_the_user_leads_the_browser_to_the_page(
    browser: webdriver.Chrome, session: ReviewSession, host: str
):
    with serving(review_page(session), host, 0) as address, leading_to(address) as file:
        browser.get(file.as_uri())
        until(browser, "typeof rows !== 'undefined' && rows.length === 5")
        assert browser.current_url == address
