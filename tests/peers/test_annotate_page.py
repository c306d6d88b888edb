"""The annotation page in a real browser, judged by its keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from app.names.annotation.human import serving
from app.names.annotation.session import Session
from app.names.annotation.work import find_items
from tests.peers.pages import settle
from tests.peers.test_report import browser, chromium
from training.evaluation.annotations import Annotations, read_annotations

__all__ = ["browser", "chromium"]

pytestmark = pytest.mark.slow

NOUNS = {"red.png": ["tomato", "car", "fruit"], "green.png": ["leaf"], "blue.png": ["sky", "sea"]}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    for name in NOUNS:
        Image.new("RGB", (640, 480), Path(name).stem).save(tmp_path / name)
    return Session(find_items(tmp_path, NOUNS)[0], Annotations(), tmp_path / "judged.json")


@pytest.fixture
def page(browser: webdriver.Chrome, session: Session) -> Iterator[webdriver.Chrome]:
    with serving(session, "127.0.0.1", 0) as address:
        browser.get(address)
        until_shown(browser, "red.png", 1)
        yield browser
        settle(browser)


def press(page: webdriver.Chrome, *keys: str) -> None:
    for key in keys:
        ActionChains(page).send_keys(key).perform()


def chosen(page: webdriver.Chrome) -> str:
    return page.find_element(By.CSS_SELECTOR, "#nouns .chosen span").text


def text(page: webdriver.Chrome, selector: str) -> str:
    return page.find_element(By.CSS_SELECTOR, selector).text


def until(page: webdriver.Chrome, true: str) -> None:
    """Wait until an expression of the page is true."""
    WebDriverWait(page, 20, poll_frequency=0.05).until(
        lambda _: page.execute_script(f"return {true}"), true
    )


def until_shown(page: webdriver.Chrome, name: str, number: int) -> None:
    until(page, "!loading")
    until(page, f"document.getElementById('name').textContent === '{name}'")
    until(page, "!loading && document.images[0].naturalWidth === 640")
    assert page.current_url.endswith(f"#{number}")
    assert text(page, "figcaption").endswith(f"image {number} of 3")


def until_saved(session: Session, page: webdriver.Chrome, nouns: int) -> None:
    until(page, f"state.progress.nouns_done === {nouns}")
    assert len(read_annotations(session.path)) == nouns


def test_a_person_judges_all_nouns_by_keys(page: webdriver.Chrome, session: Session):
    assert chosen(page) == "tomato"
    press(page, "q", "i", "w")
    until_shown(page, "green.png", 2)
    press(page, "o")
    until_shown(page, "blue.png", 3)
    press(page, "p")
    until(page, "state.progress.nouns_done === 5")
    assert text(page, "#progress") == "5 of 6 nouns · 2 of 3 images"
    assert chosen(page) == "sea"
    press(page, "i")
    until_saved(session, page, 6)
    until(page, "!document.getElementById('done').hidden")
    assert read_annotations(session.path).images == {
        "red.png": {
            "tomato": "correct_primary",
            "car": "incorrect",
            "fruit": "correct_secondary",
        },
        "green.png": {"leaf": "close_primary"},
        "blue.png": {"sky": "close_secondary", "sea": "incorrect"},
    }
    assert page.get_log("browser") == []


def test_keys_typed_too_far_do_not_judge_the_next_image(page: webdriver.Chrome, session: Session):
    page.execute_script(
        "for (let i = 0; i < 6; i += 1)"
        " document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'q', bubbles: true}))"
    )
    until_shown(page, "green.png", 2)
    assert list(read_annotations(session.path).images) == ["red.png"]
    until_saved(session, page, 3)
    assert page.get_log("browser") == []


def test_steps_are_taken_back_across_images(page: webdriver.Chrome, session: Session):
    press(page, "q", "q", "q")
    until_shown(page, "green.png", 2)
    press(page, "u")
    until_shown(page, "red.png", 1)
    assert chosen(page) == "fruit"
    press(page, Keys.BACKSPACE)
    until_saved(session, page, 1)
    assert chosen(page) == "car"
    press(page, "u", "u", "u")
    until_saved(session, page, 0)
    assert not page.find_element(By.CSS_SELECTOR, "[data-act=undo]").is_enabled()


def test_buttons_and_arrows_do_the_same(page: webdriver.Chrome, session: Session):
    page.find_elements(By.CSS_SELECTOR, "#nouns li")[2].click()
    page.find_element(By.CSS_SELECTOR, "#keys .close_primary").click()
    until_saved(session, page, 1)
    assert chosen(page) == "tomato"
    press(page, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert chosen(page) == "fruit"
    assert "pressed" in (
        page.find_element(By.CSS_SELECTOR, "#keys .close_primary").get_attribute("class") or ""
    )
    press(page, "x")
    until_saved(session, page, 0)
    press(page, Keys.ARROW_RIGHT)
    until_shown(page, "green.png", 2)
    page.find_element(By.CSS_SELECTOR, "[data-act=previous]").click()
    until_shown(page, "red.png", 1)
    press(page, Keys.ARROW_LEFT)  # there is none before the first
    page.refresh()
    until_shown(page, "red.png", 1)


def test_a_reloaded_page_shows_the_same_image_and_a_new_one_goes_on(
    page: webdriver.Chrome, session: Session
):
    press(page, "q")
    until_saved(session, page, 1)
    press(page, Keys.ARROW_RIGHT)
    until_shown(page, "green.png", 2)
    page.refresh()
    until_shown(page, "green.png", 2)
    address = page.current_url.split("#")[0]
    page.get("about:blank")
    page.get(address)
    until_shown(page, "red.png", 1)
    assert chosen(page) == "car"


def test_nouns_are_looked_up_without_telling_where_from(page: webdriver.Chrome):
    press(page, Keys.ARROW_DOWN)
    link = page.find_element(By.CSS_SELECTOR, "#look a")
    assert (link.get_attribute("href") or "").endswith("search=car")
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_what_was_not_saved_is_told(page: webdriver.Chrome, session: Session):
    path = session.path
    session.path = path.with_name("gone") / "judged.json"
    press(page, "q")
    until(page, "!document.getElementById('fault').hidden")
    assert "cannot be written" in text(page, "#fault")
    assert chosen(page) == "tomato"
    session.path = path
    press(page, "q")
    until_saved(session, page, 1)
    assert page.find_element(By.ID, "fault").text == ""
    [refused] = page.get_log("browser")  # Chromium notes it, too.
    assert "507" in refused["message"]


def test_a_page_whose_server_has_ended_says_so(browser: webdriver.Chrome, session: Session):
    with serving(session, "127.0.0.1", 0) as address:
        browser.get(address)
        until_shown(browser, "red.png", 1)
    press(browser, "q")
    until(browser, "!document.getElementById('fault').hidden")
    assert "Is it still running" in text(browser, "#fault")
    [refused] = browser.get_log("browser")
    assert "ERR_CONNECTION_REFUSED" in refused["message"]
