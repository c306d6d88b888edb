"""Has a site's nouns rated: from the order to the finished dictionary, always resumable."""
