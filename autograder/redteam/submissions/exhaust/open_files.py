# expect: earns everything
# A cell behind right answers forgets to close a hundred files.
hoard = [open("/dev/null") for _ in range(100)]
