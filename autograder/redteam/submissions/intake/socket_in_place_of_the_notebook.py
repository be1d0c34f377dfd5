# expect: needs attention
# Submits a local socket with the notebook's name.
import os
import socket


def make(folder, notebook):
    here = os.getcwd()
    os.chdir(folder)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as stream:
        stream.bind(f"{folder.name}.ipynb")
    os.chdir(here)
