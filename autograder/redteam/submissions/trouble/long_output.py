# expect: earns everything
# Cells print as much as a training log does.
for epoch in range(2_000):
    print(f"epoch {epoch}: loss {1 / (epoch + 1):.6f}")
