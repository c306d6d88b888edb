"""`nomaly captions`."""

from app.commands.options import command_group

cli = command_group("Captions for training, written by a language model.")
