# expect: earns nothing
# Opens as many files as it may, so that no descriptor is left for the grader's next socket.
hoard = []
while True:
    hoard.append(open("/dev/null"))
