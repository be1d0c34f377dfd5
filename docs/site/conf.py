"""The docs site: the pages where they lie in the repository, so that a link works there and here.

`make docs` builds it. A page that no table of contents lists is an error, and so is a broken link.
"""

from autograder.version import own_version

project = "autograder"
version = release = own_version()
html_title = f"{project} {version}"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/site/index"
# The sources lie in the root of the repository; what is no page of it is not looked at.
include_patterns = ["*.md", "docs/**"]
exclude_patterns = [".*", "autograded", "build", "release", "submitted"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4  # levels of headings that a link can name, as on a forge
highlight_language = "none"  # a block that names no language is for a shell, or a picture

autodoc_member_order = "bysource"
napoleon_use_ivar = True
python_maximum_signature_line_length = 88
default_role = "py:obj"

html_theme = "furo"
html_extra_path = ["index.html"]
html_copy_source = html_show_copyright = html_show_sphinx = False
