"""Courses that are nbgrader's, graded as they are, with their tests out of the students' reach."""
