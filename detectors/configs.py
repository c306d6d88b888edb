"""What can be set in this room: plain values, checked when they are made, never changed."""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A group of settings; a wrong value or an unknown name is a `pydantic.ValidationError`."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )
