# expect: earns nothing
# Fills /dev/shm, which is memory too, and leaves it full.
for number in range(200):
    with open(f"/dev/shm/{MARK}-{number}", "wb") as file:
        file.write(b"x" * (15 << 20))
