"""`nomaly embedder`."""

from app.commands.options import command_group

cli = command_group("Check the models that turn images and texts into vectors.")
