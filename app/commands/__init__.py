"""The commands that have commands of their own, a module each, and the options they share."""
