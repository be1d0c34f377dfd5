# expect: earns everything
# A cell asks for input, which nobody gives.
name = input("Your name? ")
