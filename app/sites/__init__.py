"""Making what a site needs: ratings, review, decoders."""
