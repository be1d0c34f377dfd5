# expect: earns everything
# Cells use short names and names of earlier lines: l, data, result, x, _ and i.
l, data, result, x, i, _ = [], {}, None, 3, 4, 5
In, Out, exit_code = [], {}, 0
for i in range(3):
    l.append(i)
