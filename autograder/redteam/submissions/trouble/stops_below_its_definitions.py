# expect: earns everything; says "was stopped"
# A cell ends in a line that never ends: what stands above that line is used by the next cell.
def helper():
    return 1


count = [helper()]
count.append(2)
while True:
    pass
# %%
assert count == [1, 2]
