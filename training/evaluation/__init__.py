"""How good a decoder's names are: image sets, predictions, judgements, scores."""
