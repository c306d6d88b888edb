"""`nomaly evaluate ood`: how well each score tells what is known from what is not."""
