"""Probes: what checks run beside the code of a student, and how its inputs are drawn.

A notebook hands out those of its visible checks as they are written here. A probe travels to a
session as text, without what stands around it but imports, so that it carries no annotations and
has inside what it needs.
"""
