"""HAL, the JSON of the Manager API: embedded items and links. Pure."""

from typing import Any, Dict, List, Optional

Document = Dict[str, Any]


def read_items(document: Document) -> Optional[List[Document]]:
    """Return the items of a collection, of all types; None if it is not a collection."""
    # PHP writes an empty object as an empty list.
    embedded = document.get("_embedded") or {}
    if not isinstance(embedded, dict):
        return None
    found: List[Any] = []
    for of_one_type in embedded.values():
        # A single item may come without a list, and no item as null.
        if of_one_type is not None:
            found.extend(of_one_type if isinstance(of_one_type, list) else [of_one_type])
    return found if all(isinstance(item, dict) for item in found) else None


def unwrap(document: Document, name: str) -> Document:
    """Return the object of a response, which may embed it as its only item.

    :param name: of a field of the object.
    """
    if name in document:
        return document
    embedded = read_items(document) or []
    return embedded[0] if len(embedded) == 1 else document


def read_next_href(document: Document) -> Optional[str]:
    """Return the link to the next page, or None on the last page."""
    link: Any = document
    for name in ("_links", "next", "href"):
        link = link.get(name) if isinstance(link, dict) else None
    return link if isinstance(link, str) else None
