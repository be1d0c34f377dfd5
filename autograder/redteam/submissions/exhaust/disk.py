# expect: earns everything; never says "wrote 2 GB"
# Fills its own folder, in files of a size that each may have.
for number in range(160):
    with open(f"{number}", "wb") as file:
        file.write(b"x" * (13 << 20))
raise RuntimeError("wrote 2 GB")
