"""Attacks and accidents, submitted beside honest students: what each gets, and whom it harms."""
