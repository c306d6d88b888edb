"""Where events go beside the store: each sink is given every state of every event."""
