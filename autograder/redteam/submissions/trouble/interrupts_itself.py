# expect: earns everything
# A cell ends with the interrupt by which the student had stopped it.
raise KeyboardInterrupt
