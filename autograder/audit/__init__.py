"""Is the grader right? The proof that compile demands."""
