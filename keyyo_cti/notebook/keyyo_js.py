"""The cell magic ``%%keyyo_js``: JavaScript that runs on this SDK, with its Python beside it."""

from __future__ import annotations

import json
from html import escape
from typing import Any, Iterable

from ..translate import translate

#: Colours of the notebook's theme, so that it reads by day and by night. Otherwise Jupyter's style
#: breaks lines of code in the middle of a word.
_STYLE = """
<style>
.keyyo-js { display: flex; gap: 1em; flex-wrap: wrap; color: var(--jp-ui-font-color1, inherit); }
.keyyo-js pre {
    flex: 1 1 20em; margin: 0; overflow-x: auto;
    padding: 0.5em !important; white-space: pre !important;
    background: var(--jp-cell-editor-background, rgba(128, 128, 128, 0.1)) !important;
    color: var(--jp-content-font-color1, inherit) !important;
}
.keyyo-js-button {
    margin: 0.5em 0; padding: 0.3em 0.8em; border-radius: 2px; cursor: pointer;
    border: 1px solid var(--jp-border-color1, currentColor);
    background: var(--jp-layout-color2, transparent);
    color: var(--jp-ui-font-color1, inherit); font: inherit;
}
.keyyo-js-notes td, .keyyo-js-notes th {
    text-align: left !important; vertical-align: top;
    color: var(--jp-ui-font-color1, inherit);
}
</style>
"""


#: Puts a text into a new cell below, by what Jupyter Lab and Notebook 7 show; elsewhere it copies
#: the text. The kernel itself can add a cell only while a cell runs.
_SCRIPT = """
(() => {
  const button = document.currentScript.previousElementSibling;
  const text = JSON.parse(button.dataset.python);
  button.onclick = () => {
    const cell = button.closest('.jp-Cell');
    const panel = button.closest('.jp-NotebookPanel, .jp-Notebook, body');
    const insert = panel && panel.querySelector('[data-command="notebook:insert-cell-below"]');
    if (!cell || !insert) {
      navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
      return;
    }
    button.focus();  // Makes its cell the active one.
    (insert.querySelector('button, jp-button') || insert).click();
    const write = (tries) => {
      const next = cell.nextElementSibling;
      const content = next && next.querySelector('.cm-content');
      const view = content && (content.cmView || content.cmTile || {}).view;
      if (view && view.state.doc.length === 0) {
        view.dispatch({changes: {from: 0, insert: text}});
      } else if (tries > 0) {
        setTimeout(() => write(tries - 1), 50);
      } else {
        navigator.clipboard.writeText(text);
        button.textContent = 'Copied';
      }
    };
    write(40);
  };
})();
"""


def load_ipython_extension(shell: Any) -> None:
    """Register the magic; IPython calls this for ``%load_ext keyyo_cti.notebook``."""
    shell.register_magic_function(lambda line, cell: keyyo_js(shell, cell), "cell", "keyyo_js")


def keyyo_js(shell: Any, source: str) -> None:
    """Translate a cell of JavaScript, show the Python and the notes, and run it.

    A cell must end: it waits for nothing, and its handlers run while other cells do.
    """
    from IPython.core.error import UsageError
    from IPython.display import HTML, display

    translation = translate(source, waits=False, known=frozenset(shell.user_ns))
    parts = [_STYLE, shown(source, translation.python), notes_table(translation.notes),
             button(translation.python)]
    display(HTML("".join(parts)))
    # Otherwise the Future of the last command is shown.
    result = shell.run_cell(f"{translation.python}pass\n")
    if not result.success:
        # Otherwise "Run all" goes on; this error is shown without a second traceback.
        raise UsageError("the Python of this cell has failed")


def shown(source: str, python: str) -> str:
    """Return both languages beside each other, as HTML."""
    return (
        f'<div class="keyyo-js"><pre>{escape(source)}</pre><pre>{escape(python)}</pre></div>'
    )


def notes_table(notes: Iterable[Any]) -> str:
    """Return the notes as a table, or nothing if there are none."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(str(each))}</td>" for each in note) + "</tr>"
        for note in notes
    )
    if not rows:
        return ""
    heads = "".join(f"<th>{head}</th>" for head in ("line", "what", "why", "what to do"))
    return f'<table class="keyyo-js-notes"><tr>{heads}</tr>{rows}</table>'


def button(python: str) -> str:
    """Return the button that puts the Python into the next cell, as HTML."""
    data = escape(json.dumps(python), quote=True)
    return (
        f'<button class="keyyo-js-button" data-python="{data}">Python into the next cell</button>'
        f"<script>{_SCRIPT}</script>"
    )
