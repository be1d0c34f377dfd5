# expect: earns everything; says "raised ZeroDivisionError"
# A cell behind right answers raises an error.
1 / 0
