"""What a release needs in a student's notebook."""
