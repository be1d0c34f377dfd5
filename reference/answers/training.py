"""Answer key of homework 7: which fault a training curve shows.

Source: the curves of assignments/hw7_training/curves.py, which are drawn from runs with that fault.
"""

# Types stay as simple as in a student's notebook.
# mypy: allow-any-generics

# Which of the eight descriptions in the text above fits which panel of the figure: a dict from
# the letter of the panel, "A" to "H", to the number of the description, 1 to 8. Each number is
# used once.
curve_causes: dict = {"A": 6, "B": 3, "C": 8, "D": 1, "E": 7, "F": 4, "G": 2, "H": 5}
