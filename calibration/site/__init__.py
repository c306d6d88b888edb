"""How far one camera can be trusted: what was measured on its own footage, kept and read back."""
