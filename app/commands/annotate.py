"""`nomaly annotate`."""

from app.commands.options import command_group

cli = command_group("Judge named images, by hand or with a language model.")
