"""What tests of the local pages share."""

from selenium import webdriver


def settle(page: webdriver.Chrome) -> None:
    """Wait until the page has done all that was pressed: its server may end then."""
    page.execute_async_script("const done = arguments[0]; work.then(() => done())")
