"""HAL documents: resources and pages of resources, with links."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence
from urllib.parse import quote, urlencode

Document = Dict[str, Any]


class Resource(NamedTuple):
    """A resource with a type and fields.

    :ivar type: the name of its type.
    :ivar path: its path below the base URL; None if it has none.
    :ivar fields: its fields.
    """

    type: str
    path: Optional[str]
    fields: Mapping[str, Any]


class Slice(NamedTuple):
    """The requested part of a collection."""

    offset: int
    limit: int

    @classmethod
    def parse(cls, query: Mapping[str, str], max_items: int) -> Slice:
        """Return the slice that a query requests.

        :param query: optionally with ``limit`` and ``offset``.
        :param max_items: maximum and default number of items on a page.
        :raises ValueError: one of them is not a number or is out of range.
        """
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", max_items))
        if offset < 0 or limit < 1:
            raise ValueError("out of range")
        return cls(offset, min(limit, max_items))

    def get_next(self) -> Slice:
        return self._replace(offset=self.offset + self.limit)

    def make_url(self, url: str, query: Optional[Mapping[str, str]] = None) -> str:
        """Return the URL of this slice of the collection at `url`.

        :param query: further parameters of the URL.
        """
        return f"{url}?{urlencode({**(query or {}), **self._asdict()}, quote_via=quote)}"


def make_document(resource: Resource, base: str) -> Document:
    """Return the document of one resource.

    :param resource: the resource.
    :param base: the base URL of its path.
    """
    found = {"_resource_type": resource.type, **resource.fields}
    if resource.path is not None:
        found["_links"] = {"self": {"href": base + resource.path}}
    return found


def embed(resources: Sequence[Resource], base: str) -> Document:
    """Return the documents of resources, grouped by type.

    :param resources: the resources.
    :param base: the base URL of their paths.
    """
    by_type: Dict[str, List[Document]] = {}
    for resource in resources:
        by_type.setdefault(resource.type, []).append(make_document(resource, base))
    return by_type


def make_page(
    resources: Sequence[Resource],
    part: Slice,
    base: str,
    path: str,
    next_base: str,
    query: Optional[Mapping[str, str]] = None,
) -> Document:
    """Return one page of a collection, with a link to any next page.

    :param resources: the whole collection.
    :param part: the requested slice.
    :param base: the base URL of every path.
    :param path: the collection's path.
    :param next_base: the base URL of the link to the next page.
    :param query: further parameters of the links.
    """
    links = {"self": {"href": part.make_url(base + path, query)}}
    following = part.get_next()
    if following.offset < len(resources):
        links["next"] = {"href": following.make_url(next_base + path, query)}
    shown = resources[part.offset:following.offset]
    return {"_embedded": embed(shown, base), "_links": links}
