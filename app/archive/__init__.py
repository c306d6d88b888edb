"""Archives: many files and long recordings, looked at by several processes or machines."""
