"""What runs in the two sessions of an nbgrader notebook: the student's code, and the tests."""
