"""What was heard, as rows of SQLite: the file, its schema, reading and writing, and what may get in."""
