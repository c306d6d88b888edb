"""`nomaly cache`."""

from app.commands.options import command_group

cli = command_group("Embeddings of nouns, captions and images, stored for training.")
