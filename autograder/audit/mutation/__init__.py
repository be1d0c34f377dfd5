"""Mutants: what a program derives from the answers, and what becomes of it."""
