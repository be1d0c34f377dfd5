"""The answers of the seven questions."""
