"""What the grader calls: it starts sessions and asks them."""
