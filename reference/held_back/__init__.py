"""Data that are in no release: what lies in an assignment's data folder, every student has."""
