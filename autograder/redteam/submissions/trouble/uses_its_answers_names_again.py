# expect: earns everything; says "counts as the notebook stood at its check"
# Below all checks the names of the answers are used for something else, and deleted.
for name in [n for n, v in list(globals().items()) if getattr(v, "__module__", "") == "__main__"]:
    globals()[name] = open("notes.txt", "w")
# %%
for name in [n for n, v in list(globals().items()) if getattr(v, "name", "") == "notes.txt"]:
    del globals()[name]
