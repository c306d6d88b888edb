"""How often a normal view reaches a score, and what must hold for a promise of false events."""
