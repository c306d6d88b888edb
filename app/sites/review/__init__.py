"""The page on which an author looks through a site's dictionary and puts it right."""
