"""What an instructor writes a source notebook with."""
