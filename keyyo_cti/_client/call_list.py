"""A list of calls that a notebook shows as a table."""

from typing import TYPE_CHECKING, Any, List

from .._display.spelling import members, no_attribute, suggest
from ..call import Call
from . import wire


class Calls(List[Call]):
    """A list of calls that a notebook shows as a table."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            text = f"a list of calls has no attribute {name!r}"
            names = (*members(Call), *wire.CALL_FIELDS)
            if name == "length":
                text += ": use len(calls)"
            elif name.startswith("_") or (name not in names and suggest(name, members(list))):
                raise no_attribute(text, name, members(list))
            else:
                meant = name if name in names else suggest(name, names)
                text += f": each call in it has {meant}, as in calls[0].{meant}" if meant else ""
            raise no_attribute(text, name, ())

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Calls(found) if isinstance(index, slice) else found

    def _repr_html_(self) -> str:
        from .._display import html

        return html.render_calls(self)
