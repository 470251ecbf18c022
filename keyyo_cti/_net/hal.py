"""HAL, the JSON of the Manager API: embedded items and links. Pure."""

from typing import Any, Dict, List, Optional

Document = Dict[str, Any]


def read_items(document: Document) -> Optional[List[Document]]:
    """Return the items of a collection, of all types; None if it is not a collection.

    What is no object among them is left out: one of them must not hide the others.
    """
    # PHP writes an empty object as an empty list.
    embedded = document.get("_embedded") or {}
    if not isinstance(embedded, (dict, list)):
        return None
    found: List[Any] = []
    for of_one_type in embedded.values() if isinstance(embedded, dict) else [embedded]:
        # A single item may come without a list, and no item as null.
        if of_one_type is not None:
            found.extend(of_one_type if isinstance(of_one_type, list) else [of_one_type])
    items = [item for item in found if isinstance(item, dict)]
    return items if items or not found else None


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
