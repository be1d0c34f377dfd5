# expect: earns everything; says "none were kept"
# A cell behind right answers prints a hundred million characters.
for _ in range(1000):
    print("x" * 100_000)
