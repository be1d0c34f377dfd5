"""What is made, as frozen records, and how it is read and written; nothing here runs."""
