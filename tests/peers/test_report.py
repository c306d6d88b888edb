"""The report of a real audit in a real browser."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.slow

OFFLINE = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1200,1400",
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if not driver or not chromium:
        missing = (
            "a real browser is not available; install it with: apt-get install chromium-driver"
        )
        if os.environ.get("PEERS_REQUIRED") == "1":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for option in (*OFFLINE, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options, webdriver.ChromeService(driver))
    yield opened
    opened.quit()


def test_the_report_shows_every_event(browser: webdriver.Chrome, audited: tuple[Path, str]):
    folder, line = audited
    events = json.loads(line)["events"]
    browser.get(f"file://{folder / 'report.html'}")
    titles = [title.text for title in browser.find_elements(By.CSS_SELECTOR, ".card h3")]
    assert len(titles) == len(events) == 2
    for title, event in zip(titles, events, strict=True):
        assert event["noun"] in title
    widths = browser.execute_script("return [...document.images].map(i => i.naturalWidth)")
    assert len(widths) == 3 * len(events)
    assert all(width > 0 for width in widths)
    assert browser.get_log("browser") == []


def test_heat_can_be_switched_off_and_the_timeline_leads_to_the_card(
    browser: webdriver.Chrome, audited: tuple[Path, str]
):
    browser.get(f"file://{audited[0] / 'report.html'}")
    view = browser.find_element(By.CSS_SELECTOR, ".view")
    view.find_element(By.TAG_NAME, "button").click()
    assert "plain" in (view.get_attribute("class") or "")
    browser.find_elements(By.CSS_SELECTOR, ".bar")[1].click()
    assert browser.current_url.endswith("#event-2")


def test_the_box_lies_where_the_event_was(browser: webdriver.Chrome, audited: tuple[Path, str]):
    event = json.loads(audited[1])["events"][0]
    browser.get(f"file://{audited[0] / 'report.html'}")
    share = browser.execute_script(
        "const view = document.querySelector('.view').getBoundingClientRect();"
        "const box = document.querySelector('.box').getBoundingClientRect();"
        "return [(box.left - view.left) / view.width, box.width / view.width]"
    )
    left, _, right, _ = event["box"]
    assert share == pytest.approx([left / 640, (right - left) / 640], abs=0.01)
