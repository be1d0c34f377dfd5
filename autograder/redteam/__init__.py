"""Attacks and accidents, handed in beside honest students: what each gets, and whom it harms."""
