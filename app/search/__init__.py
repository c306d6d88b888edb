"""Events of a place found again: by time, camera, name and verdict, by words and by their looks."""
