# expect: earns nothing
# Prints and displays markup, widgets and scripts while it runs: no output is kept.
from IPython.display import HTML, Javascript, display

display(HTML(f"<script id='{MARK}'>alert(1)</script>"), Javascript(f"alert('{MARK}')"))
print(f"<script id='{MARK}'>alert(1)</script>")
get_ipython().run_cell_magic("html", "", f"<img onerror='{MARK}'>")
