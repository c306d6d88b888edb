"""The door of the page in a real browser: by the private file, and by the password."""

import os
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.app.web.pages import PASSWORD, guarding
from tests.peers.test_report import browser, chromium

__all__ = ["browser", "chromium"]

pytestmark = pytest.mark.slow


def until_shown(page: webdriver.Chrome, text: str) -> None:
    WebDriverWait(page, 20, poll_frequency=0.05).until(lambda _: text in page.page_source, text)


def test_the_private_file_opens_the_page_and_a_password_does(
    browser: webdriver.Chrome, tmp_path: Path
):
    with guarding(folder=tmp_path) as (client, guard):
        address = f"{client.base_url}"
        _, file = guard.invited(address)
        assert file is not None
        browser.get(file.as_uri())
        until_shown(browser, '"session"')
        browser.delete_all_cookies()
        browser.get(address)
        until_shown(browser, "Password")
        assert browser.switch_to.active_element.get_attribute("name") == "password"
        browser.switch_to.active_element.send_keys("not this one\n")
        until_shown(browser, "That is not the password")
        if shown := os.environ.get("NOMALY_SCREENSHOTS"):
            browser.save_screenshot(f"{shown}/door.png")
        browser.find_element(By.NAME, "password").send_keys(f"{PASSWORD}\n")
        until_shown(browser, '"session"')
        said = [one["message"] for one in browser.get_log("browser") if one["level"] == "SEVERE"]
        assert [one for one in said if "401" not in one and "favicon" not in one] == []
