"""Footage of real photographs in which it is known what was where, and when.

`scene` gives a place, `Thing` says what comes, goes or belongs there, `Nuisance` what the
weather or somebody at the camera does, `Simulation` draws it, `split` keeps apart what one
tunes on and what one reports on. The demo, the tests and the benchmarks use it.
"""
