"""Translates a whole program: its parts in order, its imports, its end."""

from __future__ import annotations

import warnings
from typing import Collection, List, NamedTuple, Optional, Set, Tuple

from . import (  # noqa: F401 - the modules of the rules register themselves
    assignments,
    call_statements,
    calls,
    classes,
    expressions,
    functions,
    jumps,
    loops,
    new,
    operators,
    regexes,
    statements,
    switch,
    texts,
)
from .early_errors import mark_errors
from .for_each import inlined_callbacks
from .functions import initial
from .helpers import imports, source, with_needed
from .infer import Inference
from .layout import Line, comment_line, render, statement_at
from .naming import Names, legal, snake
from .notes import Note
from .openings import mark_openings
from .pieces import Piece
from .scopes import Analysis
from .shapes import Shapes
from .snapshots import mark_snapshots
from .special import may_wait_for_page
from .syntax import (  # noqa: F401 - closing_of is for pages
    FUNCTIONS,
    Node,
    closing_of,
    parse,
)
from .translator import Translator
from .types import CTI

jumps.install()

_RUNTIME = frozenset({
    "setTimeout", "setInterval", "Promise", "fetch", "queueMicrotask", "setImmediate",
})


class Translation(NamedTuple):
    """What a JavaScript source is in Python.

    :ivar python: a program, or a part of one.
    :ivar notes: what the reader has to know, in the order of the source's lines.
    :ivar complete: True if nothing was left out.
    """

    python: str
    notes: List[Note]
    complete: bool


#: So many statements are refused because their translation would not compile.
_MAX_REFUSED = 20


def translate_program(text: str, waits: bool, known: Collection[str]) -> Translation:
    """Return the translation of a source that tree-sitter can read; it compiles."""
    refused: Set[int] = set()
    while len(refused) < _MAX_REFUSED:
        found, lines, body = _translate_without(text, waits, known, refused)
        # The imports and the helpers above it are known to compile.
        error = _error_of(body)
        if error is None:
            return found
        statement = statement_at(lines, (error.lineno or 0) - 1)
        if statement is None or statement.start in refused:
            break
        refused.add(statement.start)
    return untranslated(text, "the translation would not compile")


def _translate_without(
    text: str, waits: bool, known: Collection[str], refused: Set[int]
) -> Tuple[Translation, List[Line], str]:
    """Return the translation without the statements that begin at these places.

    With it, return its own lines, and the text of these.
    """
    program, was_cut = parse(text)
    waits_itself = [node for node in _awaits(program) if not program.broken]
    if waits_itself:
        program, was_cut = parse(_as_async(program))
    if program.kind == "ERROR" and not program.kids:
        return untranslated(text, "this is not JavaScript"), [], ""
    mark_errors(program)
    t = _translator(program, known)
    t.refused = refused
    t.will_use_page = _uses_runtime(program)
    t.uses_promises = program.mentions(b"Promise") and any(
        node.text == "Promise" for node in program.of_kind("identifier")
    ) or program.mentions(b"async") and any("async" in node.tokens for node in program.all())
    mark_snapshots(t)
    mark_openings(t)
    lines = t.collect(lambda: t.statements(program.kids))
    if program.kind == "ERROR":
        t.notes.fail(
            1, "the source", "as a whole it is not JavaScript, so that parts may be missing",
            "Correct the syntax errors",
        )
    if waits_itself:
        t.notes.add(
            waits_itself[0].line, "await outside of a function",
            "the program becomes a function, and its names are no names of the module", "Nothing",
        )
    if was_cut:
        t.notes.add(
            text.count("\n") + 1, "the end", "closing brackets were missing, and were added",
            "Check that the source is whole",
        )
    lines = initial(t, None) + lines + _end(t, waits)
    body = render(lines)
    found = _finished(t, body)
    _cut_circles(t)
    return found, lines, body


def _awaits(program: Node) -> List[Node]:
    """Return the places where a module awaits outside of its functions."""
    if not program.mentions(b"await"):
        return []
    return [
        node for node in program.walk() if node.inside(FUNCTIONS) is None and (
            node.kind == "await_expression" or node.kind == "identifier" and node.text == "await"
        )
    ]


def _as_async(program: Node) -> str:
    """Return the source in an async function, behind its imports; its lines stay the same."""
    place = max((kid.end for kid in program.kids if kid.kind == "import_statement"), default=0)
    head, rest = program.source[:place], program.source[place:]
    return (head + b"(async () => {" + rest + b"\n})();").decode("utf-8", "replace")


def _cut_circles(t: Translator) -> None:
    """Have the tree go at once: Python's collector would look at all of it first."""
    for node in t.program.all():
        node.forget()
    for binding in t.analysis.bindings:
        binding.scope.bindings = {}


def _translator(program: Node, known: Collection[str]) -> Translator:
    analysis = Analysis(program)
    shapes = Shapes(program, analysis)
    for binding in analysis.bindings:
        binding.is_this = _holds_this(binding)
        if binding.kind == "implicit" and {binding.name, legal(snake(binding.name))} & set(known):
            binding.kind = "free"
    inference = Inference(program, analysis, shapes)
    inference.is_cell = bool(known)
    inference.run()
    inlined = inlined_callbacks(program, inference.world)
    names = Names(analysis.bindings, inlined, known)
    return Translator(program, analysis, shapes, inference, names, inlined)


def _holds_this(binding: "object") -> bool:
    writes = binding.writes  # type: ignore[attr-defined]
    if len(writes) != 1:
        return False
    parent = writes[0].parent
    if parent is None or parent.kind != "variable_declarator":
        return False
    value = parent.get("value")
    return value is not None and value.kind == "this" and value.inside(FUNCTIONS) is not None


def _uses_runtime(program: Node) -> bool:
    return any(
        node.text in _RUNTIME and node.is_free for node in program.of_kind("identifier")
    ) or any(
        "async" in node.tokens for node in program.of_kind(*FUNCTIONS)
    ) or any(
        node.text in ("setTimeout", "setInterval")
        for node in program.of_kind("property_identifier")
    ) or any(
        map(may_wait_for_page, program.of_kind("identifier", "property_identifier", "string"))
    )


# The end of a program.

def _end(t: Translator, may_wait: bool) -> List[Line]:
    lines = [Line(piece) for piece in t.at_end]
    if not may_wait:
        if t.uses_page:
            lines.append(Line(f"{t.runtime('page')}.start()"))
        return lines
    waits = _waits(t)
    if t.uses_page:
        t.runtime("page")
        if waits:
            body = [Line(each) for each in waits]
            with_page = Line("with page", body)
            with_page.comment = "handlers, timers and promises run here, one at a time"
            lines.append(with_page)
        else:
            lines.append(Line("page.start()" if _is_part(t) else "page.run()"))
    else:
        lines.extend(Line(each) for each in waits)
    lines.extend(Line(piece) for piece in t.at_close)
    if lines:
        lines[0].gap = True
    return lines


def _is_part(t: Translator) -> bool:
    """True if the source takes a CTI or a Call for granted."""
    return any(
        binding.kind == "free" and (
            binding.name in ("cti", "call") or binding.name.endswith(("_cti", "_call"))
        )
        for binding in t.analysis.bindings
    )


def _waits(t: Translator) -> List[str]:
    if not t.makes_cti:
        return []
    found: List[str] = []
    for binding in t.analysis.bindings:
        if binding.is_module and binding.kind != "free" and binding.type & CTI:
            found.append(f"{binding.python}.wait()")
    if t.first_cti is not None:
        return [f"{t.first_cti.python}.wait()"]
    found = found or _waits_of_objects(t)
    if found:
        return found
    t.notes.add(
        1, "the CTI", "no variable of the module holds it, so that the program cannot wait for it",
        "Call its wait() at the end",
    )
    t.need("import threading")
    return ["threading.Event().wait()"]


def _waits_of_objects(t: Translator) -> List[str]:
    """Return the waiting for CTIs that are attributes of the module's objects."""
    found: List[str] = []
    for binding in t.analysis.bindings:
        if binding.is_module and binding.kind != "free":
            for thing in t.world.of(binding.type):
                for name, mask in thing.fields.items():
                    if thing.kind in ("instance", "record") and mask & CTI:
                        found.append(f"{binding.python}.{t.names.attribute(name)}.wait()")
    return sorted(set(found))


# The whole.

def _finished(t: Translator, body: str) -> Translation:
    helpers = with_needed(t.helpers)
    sources = [source(name) for name in helpers]
    needed: Set[str] = set(t.imports)
    for each in sources:
        needed |= imports(each)
    # Otherwise an exception in a handler, a timer or a promise is silent.
    logs = t.makes_cti or (t.uses_page and not _is_part(t))
    if logs:
        needed.add("import logging")
    needed = _used(needed, body + "\n".join(sources) + "logging" * logs)
    parts = _import_lines(needed)
    if logs:
        parts += ["", "logging.basicConfig()"]
    text = "\n".join(parts)
    if sources:
        text += "\n\n\n" if text else ""
        text += "\n\n\n".join(sources) + "\n\n\n"
    elif text:
        text += "\n\n\n" if _starts_with_definition(body) else "\n\n" if not logs else "\n"
    python = text + body
    return Translation(python, t.notes.all(), t.notes.complete)


def _starts_with_definition(body: str) -> bool:
    first = next((line for line in body.splitlines() if not line.startswith("#")), "")
    return first.startswith(("def ", "class ", "async def ", "@"))


def _used(statements_: Set[str], text: str) -> Set[str]:
    return {each for each in statements_ if each.split()[-1].split(".")[0] in text}


def _import_lines(needed: Set[str]) -> List[str]:
    """Return the imports in isort's order."""
    plain = sorted(each for each in needed if each.startswith("import "))
    froms: dict[str, Set[str]] = {}
    for each in needed:
        if each.startswith("from "):
            _, module, _, name = each.split()
            froms.setdefault(module, set()).add(name)
    standard = list(plain)
    ours: List[str] = []
    for module in sorted(froms):
        line = f"from {module} import {', '.join(sorted(froms[module], key=_isort_key))}"
        if len(line) > 79:
            names = "".join(f"    {name},\n" for name in sorted(froms[module], key=_isort_key))
            line = f"from {module} import (\n{names})"
        (ours if module.startswith("keyyo_cti") else standard).append(line)
    return standard + ([""] if standard and ours else []) + ours


def _isort_key(name: str) -> "tuple[int, str]":
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def untranslated(text: str, reason: str) -> Translation:
    """Return a program that says that nothing could be translated."""
    lines = [comment_line(f"JS: {line}") for line in _printable(text).splitlines()]
    message = f"line 1: {reason}"
    lines.append(Line(Piece([f'raise NotImplementedError("{message}")'])))
    note = Note(1, "the source", reason, "Translate it by hand")
    return Translation(render(lines), [note], False)


def _printable(text: str) -> str:
    return "".join(
        character if character.isprintable() or character == "\n" else " " for character in text
    )


def _error_of(python: str) -> Optional[SyntaxError]:
    """Return why a program does not compile, or None."""
    try:
        with warnings.catch_warnings():
            # Such as that of `[1](2)`: it is the program's own mistake, and not the caller's.
            warnings.simplefilter("ignore")
            compile(python, "translation", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error))
    return None
