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
from tests.peers.test_report import browser

__all__ = ["browser"]

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


def until(page: webdriver.Chrome, true: str) -> None:
    """Wait until an expression of the page is true."""
    WebDriverWait(page, 20, poll_frequency=0.05).until(
        lambda _: page.execute_script(f"return {true}"), true
    )


def press(page: webdriver.Chrome, *keys: str) -> None:
    for key in keys:
        ActionChains(page).send_keys(key).perform()


def nouns(page: webdriver.Chrome) -> list[str]:
    return [cell.text for cell in page.find_elements(By.CSS_SELECTOR, "td.noun")]


def test_a_person_rates_locks_and_leaves_out_by_keys(
    page: webdriver.Chrome, session: ReviewSession
):
    assert nouns(page)[:3] == ["rivet", "cowl", "airplane"]
    press(page, "x", Keys.ARROW_DOWN, "l")
    until(page, "rows[1].edit !== null")
    press(page, Keys.ARROW_DOWN, "0")
    until(page, "rows[2].edit !== null")
    assert read_overlay(session.path).edits == {
        "airplane": Edit(rating=10.0),
        "cowl": Edit(rating=6.0, locked=True),
        "rivet": Edit(excluded=True),
    }
    press(page, "u")
    until(page, "rows.length === 5 && rows[2].edit === null")
    assert set(read_overlay(session.path).edits) == {"cowl", "rivet"}


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
