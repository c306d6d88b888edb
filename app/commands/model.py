"""`nomaly model`."""

from app.commands.options import command_group

cli = command_group("Convert checkpoints and show what a model is.")
