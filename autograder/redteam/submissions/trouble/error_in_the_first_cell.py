# expect: earns everything; says "raised FileNotFoundError"
# A cell before everything else looks for a file of the student's own machine.
# %% first
with open("/content/drive/My Drive/data.csv") as file:
    file.read()
