"""What keeps a session apart from everything else, and how we try to get out."""
