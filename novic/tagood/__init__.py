"""TagOOD: features of the things that are tagged, and centres of the classes (Li et al. 2024)."""
