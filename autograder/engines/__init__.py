"""Where gradings run."""
