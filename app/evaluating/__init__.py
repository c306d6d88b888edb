"""How good detectors are, on stills and on recordings of which the truth is known."""
