"""Regular expressions."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import List, Tuple

from .notes import Unsupported
from .pieces import Piece, atom, call, join, method
from .shapes import uses_arguments
from .syntax import FUNCTIONS, Node
from .translator import EXPRESSIONS, Translator
from .tree import parameters, regex_literal, string_value
from .types import REGEX, STR


@lru_cache(maxsize=256)
def python_pattern(pattern: str, flags: str) -> str:
    """Return a pattern as Python writes it.

    :raises Unsupported: Python cannot say it.
    """
    if set(flags) - set("gimsu") or re.search(r"\\[pPkc]|\(\?<[!=].*[*+]", pattern):
        raise Unsupported("Python has no such regular expression")
    found: List[str] = []
    in_class = False
    for token in re.findall(r"\\.|\[\^?\]?|\(\?<(?![=!])|\{,|.", pattern, re.S):
        if token in (r"\s", r"\S") and _is_ascii(pattern, flags):
            found.append(_space(token, in_class))
        elif token[0] == "\\":
            found.append(_escaped(token, pattern))
        elif in_class:
            in_class = token != "]"
            found.append(token.replace("[", "\\["))
        else:
            in_class = token[0] == "["
            found.append(_outside(token, flags))
    result = "".join(found)
    try:
        re.compile(result, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise Unsupported("Python has no such regular expression") from error
    return result


def _outside(token: str, flags: str) -> str:
    """Return a token outside of a class."""
    if token in ("[]", "[^]"):
        raise Unsupported("Python has no such regular expression")
    if token == "$" and "m" not in flags:
        return r"\Z"
    if token == "{,":
        return r"\{,"
    return "(?P<" if token == "(?<" else token


def _space(token: str, in_class: bool) -> str:
    """Return a class of spaces for an expression that Python reads as ASCII."""
    if in_class and token == r"\S":
        raise Unsupported("Python has no such regular expression")
    spaces = r"\s\xa0\u2009\u202f\ufeff"
    return spaces if in_class else f"[{'^' if token[1] == 'S' else ''}{spaces}]"


def _escaped(pair: str, pattern: str) -> str:
    if pair == r"\/":
        return "/"
    if pair[1:].isdigit() and pair != r"\0" and not _is_certain(pattern, int(pair[1:])):
        raise Unsupported("a reference back to a group that may have found nothing")
    return pair


def _is_certain(pattern: str, number: int) -> bool:
    """True if a group has always found something where a reference back to it stands."""
    place = pattern.index(f"\\{number}")
    if "|" in pattern or pattern[place + 2:place + 3].isdigit():
        return False
    opened: List[int] = []
    count = 0
    for token in re.finditer(r"\\.|\[(?:\\.|[^\]])*\]|\((?:\?<?[:=!])?|\)", pattern[:place]):
        if token[0] == "(":
            count += 1
        if token[0][0] == "(":
            opened.append(count if token[0] == "(" else 0)
        elif token[0] == ")" and opened.pop() == number:
            return not opened and pattern[token.end()] not in "?*{"
    return False


def _literal(pattern: str) -> str:
    if '"' not in pattern and "\n" not in pattern:
        return f'r"{pattern}"'
    return f"r'{pattern}'" if "'" not in pattern and "\n" not in pattern else repr(pattern)


def pattern_of(t: Translator, node: Node) -> Tuple[str, str]:
    """Return Python's literal and flags for a regular expression."""
    literal = regex_literal(node)
    assert literal is not None
    pattern, flags = literal
    t.need("import re")
    python = [name for letter, name in (("i", "re.I"), ("m", "re.M"), ("s", "re.S"))
              if letter in flags]
    # In JavaScript, \d, \w and \b know only ASCII.
    if _is_ascii(pattern, flags):
        python.append("re.A")
    return _literal(python_pattern(pattern, flags)), " | ".join(python)


def _is_ascii(pattern: str, flags: str) -> bool:
    return bool(re.search(r"\\[dwbDWB]", pattern)) or ("i" in flags and pattern.isascii())


def may_be_empty(node: Node) -> bool:
    """True if a regular expression may find an empty text."""
    literal = regex_literal(node)
    assert literal is not None
    # What only looks around finds nothing in an empty text, but something empty in another.
    found = re.sub(
        r"\[(?:\\.|[^\]])*\]|\\.|\(\?<?=", lambda part: _LOOKS.get(part[0], part[0]),
        python_pattern(*literal),
    )
    return re.match(found, "") is not None


_LOOKS = {r"\b": "(?:)", r"\B": "(?:)", "(?=": "(?:|", "(?<=": "(?:|"}


def compiled(t: Translator, node: Node) -> Piece:
    """Return a compiled regular expression."""
    if node.kind not in ("regex", "new_expression"):
        return t.expr(node)
    pattern, flags = pattern_of(t, node)
    return call("re.compile", pattern, *([flags] if flags else []))


def _regex(t: Translator, node: Node) -> Piece:
    return compiled(t, node)


def regex_method(
    t: Translator, node: Node, target: Node, name: str, arguments: List[Node]
) -> Piece:
    """Return a call of ``test`` or ``exec``."""
    if len(arguments) != 1 or name not in ("test", "exec"):
        raise Unsupported(f"{name} of a regular expression is not supported")
    if _may_be_global(t, target):
        raise Unsupported("a regular expression with g that remembers its place",
                          "Use re.finditer")
    found = _search(t, target, t.text(arguments[0]))
    if name == "exec":
        return found
    return call("bool", found) if not _is_condition(node) else found


def _is_condition(node: Node) -> bool:
    parent = node.parent
    assert parent is not None
    if parent.kind in ("if_statement", "while_statement"):
        return True
    return parent.kind == "unary_expression" and parent["operator"].kind == "!"


def _may_be_global(t: Translator, node: Node) -> bool:
    literal = regex_literal(node)
    if literal is None:
        return any(
            each.kind == "regex" or each.kind == "identifier" and each.text == "RegExp"
            for each in t.program.all() if _has_place(each)
        )
    return "g" in literal[1] or "y" in literal[1]


def _has_place(node: Node) -> bool:
    """True for an expression that goes on where it has found something, or may be such a one."""
    if node.kind == "identifier" and node.parent is not None:
        literal = regex_literal(node.parent)
    else:
        literal = regex_literal(node)
    return literal is None or "g" in literal[1] or "y" in literal[1]


def _search(t: Translator, node: Node, text: Piece) -> Piece:
    if node.kind == "regex":
        pattern, flags = pattern_of(t, node)
        return call("re.search", pattern, text, *([flags] if flags else []))
    return method(t.expr(node), "search", text)


def match(t: Translator, target: Piece, arguments: List[Node]) -> Piece:
    """Return a call of ``match`` of a string."""
    literal = regex_literal(arguments[0]) if len(arguments) == 1 else None
    if literal is None:
        raise Unsupported("match needs a regular expression")
    node = arguments[0]
    if "g" in literal[1]:
        return t.helper("js_matches", compiled(t, node), target)
    return _search(t, node, target)


def match_all(t: Translator, target: Piece, arguments: List[Node]) -> Piece:
    """Return a call of ``matchAll`` of a string."""
    literal = regex_literal(arguments[0])
    if literal is None or "g" not in literal[1]:
        raise Unsupported("matchAll needs a regular expression with g")
    return call("list", method(compiled(t, arguments[0]), "finditer", target))


def replace(t: Translator, node: Node, target: Piece, arguments: List[Node]) -> Piece:
    """Return a call of ``replace`` of a string."""
    first, second = arguments
    literal = regex_literal(first)
    if literal is None:
        if t.mask(first) & REGEX:
            raise Unsupported("replace with a regular expression from elsewhere")
        if second.kind != "string" or "$" in second.text:
            check_replacement(t, second)
        return method(target, "replace", t.text(first), t.text(second), "1")
    extra = [] if "g" in literal[1] else ["count=1"]
    replacement = _replacement(t, second, re.compile(python_pattern(*literal)))
    if first.kind != "regex":
        return method(compiled(t, first), "sub", replacement, target, *extra)
    pattern, flags = pattern_of(t, first)
    if flags:
        extra.append(f"flags={flags}")
    return call("re.sub", pattern, replacement, target, *extra)


def _template_of(text: str, pattern: "re.Pattern[str]") -> str:
    """Return a replacement as Python writes it. A number without a group stands for itself."""
    def part(found: "re.Match[str]") -> str:
        if found[0].startswith("$<"):
            known = found[2] in pattern.groupindex
            return f"\\g<{found[2]}>" if known else "" if pattern.groupindex else found[0]
        digits = found[1] or ""
        for number in (digits, digits[:1]):
            if number and 0 < int(number) <= pattern.groups:
                return f"\\g<{int(number)}>{digits[len(number):]}"
        if found[0] == "$&":
            return "\\g<0>"
        return "$" if found[0] == "$$" else found[0]

    return re.sub(r"\$\$|\$&|\$(\d\d?)|\$<([^>]*)>", part, text.replace("\\", "\\\\"))


def _replacement(t: Translator, node: Node, pattern: "re.Pattern[str]") -> Piece:
    if node.kind == "string":
        text = string_value(node)
        if re.search(r"\$[`']", text):
            raise Unsupported("such a replacement is not supported")
        return atom(_literal(_template_of(text, pattern)))
    if node.kind in FUNCTIONS:
        return _function(t, node, pattern)
    if not t.mask(node) & ~STR:
        check_replacement(t, node)
        text = str(t.expr(node))
        return Piece([f"lambda {t.temporary('found')}: {text}"], 1)
    raise Unsupported("a replacement that may be no text")


def _function(t: Translator, node: Node, pattern: "re.Pattern[str]") -> Piece:
    given = parameters(node)
    if not all(each.kind == "identifier" for each in given):
        raise Unsupported("such a replacement is not supported")
    function = t.expr(node)
    name = t.temporary("found")
    found = [f"{name}[{index}]" for index in range(pattern.groups + 1)]
    found += [f"{name}.start()", f"{name}.string"]
    found += [f"{name}.groupdict()"] * bool(pattern.groupindex)
    arguments = ", ".join(found if uses_arguments(node) else found[:len(given)])
    result = t.inference.world.make("function", node).returns
    inner = f"{function}({arguments})" if function.precedence > 2 else f"({function})({arguments})"
    if result & ~STR:
        t.helpers.add("js_text")
        inner = f"js_text({inner})"
    return Piece([f"lambda {name}: {inner}"], 1)


def match_field(t: Translator, target: Piece, name: str) -> Piece:
    """Return a property of what ``match`` found."""
    if name == "index":
        return method(target, "start")
    if name == "input":
        return join(target, ".string")
    if name == "groups":
        return method(target, "groupdict")
    raise Unsupported(f"{name} of a match is not supported")


EXPRESSIONS["regex"] = _regex


def check_replacement(t: Translator, node: Node) -> None:
    if t.world.kinds(t.mask(node)) & {"function"}:
        raise Unsupported("a function as the replacement of a text is not supported")
    if node.kind == "string":
        raise Unsupported("$ in a replacement is not supported")
    t.note(
        node, "a replacement that is not fixed", "JavaScript gives $ in it a meaning, Python none",
        "Nothing, unless it may hold a $",
    )
