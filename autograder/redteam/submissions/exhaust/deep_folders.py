# expect: earns everything
# Makes folders in folders, as deep as its time allows, with names of 250 letters.
import os

while True:
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
