# expect: earns everything
# Displays rich outputs until its time is over.
from IPython.display import HTML, display

while True:
    display(HTML("<b>" + "x" * 10_000 + "</b>"))
