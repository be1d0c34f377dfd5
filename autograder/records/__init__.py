"""From results to grades and words."""
