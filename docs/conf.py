"""The settings of Sphinx for the site: ``sphinx-build -W --keep-going -n docs build/site``."""

import os
import posixpath
import re
from typing import Any, Dict, List

import keyyo_cti
from keyyo_cti.translate import translate

project = "keyyo-cti"
copyright = "the keyyo-cti authors"
version = release = keyyo_cti.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
html_title = f"keyyo-cti {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
pygments_dark_style = "monokai"
# No page shows its source: the pages that include a file would show one line.
html_copy_source = False
html_show_sourcelink = False

# Headings get the anchors that code hosts give them, so that a link works in both places.
myst_heading_anchors = 4

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "fully-qualified"
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
add_module_names = False

# Types in signatures that have no page.
nitpick_ignore_regex = [
    # Those of the standard library and of aiohttp.
    ("py:.*", r"(asyncio|concurrent|datetime|http|os|ssl|threading|web)\..*"),
    # Private ones.
    ("py:.*", r"(\w+\.)*_\w+(\.\w+)*"),
    # Those that are imported for type checkers only, which Sphinx does not resolve.
    ("py:class", r"Board|CallHistory|Clients|Clock|Figure|Gate|HttpFaults|NumberLike"),
    ("py:class", r"EventAttribute|PerformLater|Sessions|Unpack"),
    # What a manager is, for type checkers.
    ("py:class", r"keyyo_cti\.catch_up\.HasClient"),
    # Classes of the test kit that its public ones use.
    ("py:.*", r"(keyyo_cti\.testing\.\w+\.)?(HandlerError|Mistake|ProgramLike|T|TimedSimulator)"),
]

#: Files of the project, and the pages that include them.
PAGES = {
    "CHANGELOG.md": "/changelog.md",
    "README.md": "/index.md",
    "SECURITY.md": "/security.md",
    "samples/HOSTS.md": "/guides/hosts.md",
    "samples/PORTING.md": "/guides/porting.md",
    "samples/README.md": "/samples.md",
    "tests/FAULTS.md": "/faults.md",
}

_LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)([^)\s#]+)(?=[)#])")


def resolve_links(text: str, folder: str) -> str:
    """Return a page with links that count from the folder of the site.

    A link to a file that a page includes becomes a link to the page. A link to any other file of
    the project becomes a download.

    :param folder: of the file that has the links, from the folder of the project.
    """
    def resolve(match: "re.Match[str]") -> str:
        path = posixpath.normpath(posixpath.join(folder, match[1]))
        return PAGES.get(path) or "/" + posixpath.relpath(path, "docs")

    return _LINK.sub(resolve, text)


_JAVASCRIPT = re.compile(r"^```(?:js|html)\n(.*?)^```\n", re.M | re.S)


def add_translations(text: str) -> str:
    """Return a page with the translation below each JavaScript example, closed until clicked."""
    def add(match: "re.Match[str]") -> str:
        translation = translate(match[1])
        notes = "\n".join(map(str, translation.notes))
        notes = f"\n```text\n{notes}\n```\n" if notes else ""
        return (
            f"{match[0]}\n<details>\n<summary>What <code>keyyo-cti translate</code> makes of it"
            f"</summary>\n\n```python\n{translation.python}```\n{notes}\n</details>\n"
        )

    return _JAVASCRIPT.sub(add, text)


def _read_source(app: Any, name: str, content: List[str]) -> None:
    content[0] = add_translations(resolve_links(content[0], posixpath.dirname(f"docs/{name}")))


def _read_included(app: Any, path: "os.PathLike[str]", parent: str, content: List[str]) -> None:
    included = posixpath.normpath(posixpath.join("docs", *os.fspath(path).split(os.sep)))
    content[0] = add_translations(resolve_links(content[0], posixpath.dirname(included)))


def setup(app: Any) -> Dict[str, bool]:
    """Connect the functions above to Sphinx."""
    app.connect("source-read", _read_source)
    app.connect("include-read", _read_included)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
