"""`nomaly calibrate`: how far one camera can be trusted."""
