"""Collecting: what students submitted elsewhere, brought into `submitted/`."""
