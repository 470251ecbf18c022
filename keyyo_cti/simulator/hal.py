"""HAL: resources and pages of them as JSON documents with links."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import urlencode

Document = Dict[str, Any]


class Resource(NamedTuple):
    """Something that has a type and fields.

    :ivar type: the name of its type.
    :ivar path: its address below the base; None when it has none of its own.
    :ivar fields: what is known of it.
    """

    type: str
    path: Optional[str]
    fields: Mapping[str, Any]


class Slice(NamedTuple):
    """Which part of a collection is asked for."""

    offset: int
    limit: int

    @classmethod
    def asked(cls, query: Mapping[str, str], largest: int) -> Slice:
        """The slice that a query asks for.

        :param query: with ``limit`` and ``offset``, or without.
        :param largest: how many items a page has at most, and when nothing is asked.
        :raises ValueError: one of them is not a number, or out of its range.
        """
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", largest))
        if offset < 0 or limit < 1:
            raise ValueError("out of range")
        return cls(offset, min(limit, largest))

    def following(self) -> Slice:
        return self._replace(offset=self.offset + self.limit)

    def href(self, url: str) -> str:
        """The address of this slice of the collection at `url`."""
        return f"{url}?{urlencode(self._asdict())}"


def document(resource: Resource, base: str) -> Document:
    """One resource.

    :param resource: what is shown.
    :param base: the URL that its path is below.
    """
    found = {"_resource_type": resource.type, **resource.fields}
    if resource.path is not None:
        found["_links"] = {"self": {"href": base + resource.path}}
    return found


def embedded(resources: Sequence[Resource], base: str) -> Document:
    """Resources by their types.

    :param resources: what is shown.
    :param base: the URL that their paths are below.
    """
    by_type: Dict[str, List[Document]] = {}
    for resource in resources:
        by_type.setdefault(resource.type, []).append(document(resource, base))
    return by_type


def page(
    resources: Sequence[Resource], part: Slice, base: str, path: str, next_base: str
) -> Document:
    """One page of a collection, with a link to the next if there is one.

    :param resources: the whole collection.
    :param part: which part of it is shown.
    :param base: the URL that every path is below.
    :param path: the collection's.
    :param next_base: the same as `base`, for the link to the next page.
    """
    links = {"self": {"href": part.href(base + path)}}
    following = part.following()
    if following.offset < len(resources):
        links["next"] = {"href": following.href(next_base + path)}
    shown = resources[part.offset:following.offset]
    return {"_embedded": embedded(shown, base), "_links": links}
