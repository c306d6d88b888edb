"""How good the whole product is: what should not be there, found and named, beside rivals."""
