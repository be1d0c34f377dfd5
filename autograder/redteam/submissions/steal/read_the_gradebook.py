# expect: earns nothing
# Reads the names of students out of the gradebook.
import os
import sqlite3

path = os.path.join(COURSE, "gradebook.db")
with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
    rows = [row[0] for row in database.execute("select id from student")]
raise LookupError([row for row in rows if CANARY in row])
