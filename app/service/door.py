"""What lets in to the page of a site, as its file says."""

from pydantic import SecretStr

from app.service.config import Page
from app.web.guard import GuardConfig


def guard_of(page: Page) -> GuardConfig:
    """Where the page is reached and what lets in; what the file leaves out, the environment says.

    Raises:
        app.errors.UsageError: If others reach it and nothing keeps them out.
    """
    return (
        GuardConfig(
            host=page.host,
            port=page.port,
            token=None if page.token is None else SecretStr(page.token),
            password_hash=None if page.password_hash is None else SecretStr(page.password_hash),
            names=page.names,
            https=page.https,
        )
        .with_environment()
        .checked()
    )
