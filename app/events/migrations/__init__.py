"""SQL files that bring an event store up to date, in the order of their numbers."""
