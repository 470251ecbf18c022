"""Jupyter Lab, with a notebook opened in a real browser."""

from __future__ import annotations

import re
import shutil
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, List

from ..helpers.chromium import chromium, wait
from ..helpers.running import Running

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

#: Seconds that Jupyter Lab may take to start, on a loaded machine.
START = 120.0

#: What a person sees of the board.
_BOARD = ".jp-OutputArea .widget-vbox"

#: The Enter key, as WebDriver writes it.
ENTER = "\ue007"

_OPEN = """
const app = window.jupyterapp;
await app.restored;
const panel = await app.commands.execute('docmanager:open', {path: arguments[0]});
await panel.context.ready;
await panel.sessionContext.ready;
await panel.sessionContext.session.kernel.info;
// Without a window nothing has the focus, and nothing is "current" for the shell.
window.notebook = panel.content;
"""


class Lab:
    """A notebook in Jupyter Lab."""

    def __init__(self, browser: WebDriver) -> None:
        self.browser = browser

    def open(self, name: str) -> None:
        """Opens a notebook, and waits until its kernel is there."""
        wait(self.browser, lambda _: self._js("return 'jupyterapp' in window"), "Jupyter Lab")
        self._promise(_OPEN, name)

    def run_to(self, cell_id: str) -> None:
        """Runs the cells down to one, that included, as with Shift-Enter."""
        while self._js("return window.notebook.activeCell.model.id") != cell_id:
            self.command("notebook:run-cell-and-select-next")
        self.command("notebook:run-cell-and-select-next")

    def command(self, name: str) -> None:
        """A command of the menus, and all that comes of it."""
        self._promise("await window.jupyterapp.commands.execute(arguments[0])", name)

    def select(self, cell_id: str) -> None:
        """Makes a cell the active one."""
        self._js(
            "const notebook = window.notebook;"
            "notebook.activeCellIndex = notebook.widgets.findIndex("
            "each => each.model.id === arguments[0])",
            cell_id,
        )

    def output(self, cell_id: str) -> str:
        """What is shown below a cell."""
        return str(self._js(
            "return window.notebook.widgets.find(each => each.model.id === arguments[0])"
            ".outputArea.node.innerText",
            cell_id,
        ))

    def says(self, program: str) -> str:
        """What a program prints that is run in a cell of its own, which is gone then."""
        self.command("notebook:insert-cell-below")
        cell_id = self._js(
            "const cell = window.notebook.activeCell;"
            "cell.model.sharedModel.setSource(arguments[0]); return cell.model.id",
            program,
        )
        self.command("notebook:run-cell")
        printed = self.output(cell_id)
        self.command("notebook:delete-cell")
        return printed.strip()

    def board(self) -> str:
        """What is written on the board; nothing when there is none."""
        return str(self._js(
            "return document.querySelector(arguments[0])?.innerText ?? ''", _BOARD
        ))

    def until(self, words: str) -> None:
        """Waits until this is written on the board."""
        self.until_matched(re.escape(words))

    def until_matched(self, pattern: str) -> None:
        """As ``until``, with a regular expression."""
        there = re.compile(pattern)
        wait(self.browser, lambda _: bool(there.search(self.board())), f"{pattern} on the board")

    def click(self, label: str) -> None:
        """Clicks a button of the board, once it can be clicked."""
        path = f"//button[contains(@class, 'jupyter-button')][normalize-space()='{label}']"

        def clickable(browser: WebDriver) -> bool:
            return [each.is_enabled() for each in browser.find_elements("xpath", path)] == [True]

        wait(self.browser, clickable, f"the button {label!r}")
        self.browser.find_element("xpath", path).click()

    def enter(self, placeholder: str, text: str) -> None:
        """Types into a field of the board, quickly, and presses Enter."""
        field = self.browser.find_element("css selector", f"input[placeholder='{placeholder}']")
        field.send_keys(text, ENTER)

    def pointer_events(self, class_name: str) -> List[str]:
        """Whether an element that is given a class takes clicks: at first, and in the end."""
        found = self.browser.execute_async_script(
            "const [name, done] = arguments;"
            "const one = document.body.appendChild(document.createElement('div'));"
            "const read = () => getComputedStyle(one).pointerEvents;"
            "one.className = name;"
            "const first = read();"
            "one.addEventListener('animationend', () => { done([first, read()]); one.remove(); })",
            class_name,
        )
        return list(found)

    def _js(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def _promise(self, script: str, *arguments: Any) -> None:
        failure = self.browser.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"(async (...arguments_) => {{{script.replace('arguments[', 'arguments_[')}}})"
            "(...arguments).then(() => done(null), error => done(String(error)))",
            *arguments,
        )
        assert failure is None, failure


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def lab(notebook: Path, place: Path) -> Iterator[Lab]:
    """A notebook, open in a Jupyter Lab of its own.

    :param place: a directory in which it lies then.
    """
    shutil.copy(notebook, place)
    arguments = (
        "--no-browser",
        "--allow-root",
        # Not 0: older servers do not tell which one they took. This one they may replace.
        f"--port={_free_port()}",
        "--expose-app-in-browser",
        f"--ServerApp.root_dir={place}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )
    with Running("-m", "jupyterlab", *arguments) as server:
        line = server.until("http://127.0.0.1", "err", START)
        found = re.search(r"http://127\.0\.0\.1\S+", line)
        assert found is not None
        try:
            with chromium() as browser:
                browser.set_window_size(1300, 1000)
                browser.get(found[0])
                there = Lab(browser)
                there.open(notebook.name)
                yield there
        finally:
            # It ends its kernels; killed, it would leave them.
            server.process.terminate()
            server.end()
