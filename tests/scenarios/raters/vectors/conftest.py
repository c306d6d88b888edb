"""The real text model, loaded once."""

import pytest

from novic.embedders.starter import TextModel


@pytest.fixture(scope="session")
def text_model() -> TextModel:
    return TextModel()
