"""What is tried on one check: right answers that differ by rounding, mistakes, null models."""
