"""What grading costs: the same class graded by us and by others, and measured."""
