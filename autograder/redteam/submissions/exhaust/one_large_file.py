# expect: earns everything; says "raised"
# Writes a file of 10 GB, with a hole and without one.
with open("hole", "wb") as file:
    file.truncate(10 << 30)
with open("large", "wb") as file:
    for _ in range(160):
        file.write(b"x" * (64 << 20))
