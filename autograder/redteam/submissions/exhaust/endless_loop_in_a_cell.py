# expect: earns everything; says "was left out"
# A cell behind right answers loops for ever.
while True:
    pass
