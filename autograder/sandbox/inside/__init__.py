"""What runs behind the walls, beside a student's code."""
