"""How often a normal view reaches a score, what a promise of false events needs, the unknown."""
