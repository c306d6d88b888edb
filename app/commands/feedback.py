"""`nomaly feedback`: what people say of events, and what goes silent by it."""

from app.commands import feedback_quiet, feedback_said
from app.commands.feedback_said import cli

__all__ = ["cli", "feedback_quiet", "feedback_said"]
