"""Arguments of the Manager API, as parts of a path or a form. Pure."""

from typing import Any, Optional, Tuple
from urllib.parse import quote

from ..errors import invalid_params


def quote_segment(name: str, value: Any) -> str:
    """Return a value as one segment of a path.

    A CSI need not consist of digits: that of a mailbox is its address.
    """
    if not isinstance(value, str) or not value.strip(". "):
        raise invalid_params(name, "expected a string that is not empty")
    try:
        return quote(value, safe="")
    except UnicodeError:
        raise invalid_params(name, "expected text") from None


def of_line(csi: Optional[str], path: str) -> str:
    """Return a path below a line; that of the whole account if ``csi`` is None."""
    return path if csi is None else f"services/{quote_segment('csi', csi)}/{path}"


def check_masks(domain_masks: Any) -> Tuple[str, ...]:
    """Return the masks of web sites as a tuple."""
    # A string is iterable too, but its letters are not masks.
    masks = () if isinstance(domain_masks, str) else tuple(domain_masks)
    if isinstance(domain_masks, str) or not all(isinstance(mask, str) and mask for mask in masks):
        raise invalid_params("domain_masks", "expected a list of strings that are not empty")
    return masks
