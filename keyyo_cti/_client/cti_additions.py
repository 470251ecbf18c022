"""The members of a CTI that JavaScript lacks, and the types of its handlers."""

from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from .cti_types import OnCTI
from .emitter import Emitter
from .literals import CTIEvent


class CTIAdditions(Emitter):
    """Python's own members of a CTI."""

    _client: Any

    if TYPE_CHECKING:
        on: OnCTI
        addEventListener: OnCTI

        def off(
            self, names: Union[CTIEvent, str], handler: Optional[Callable[..., object]] = None
        ) -> None:
            """Remove a handler that ``on`` added, once; without a handler, remove all of them."""

        removeEventListener = off

    def same_number(self, first: Any, second: Any) -> bool:
        """Return True if two numbers, each in any form, are of the same telephone.

        ``33199020000``, ``+33 1 99 02 00 00`` and ``01 99 02 00 00`` are the same, and so is a
        line's short number if the option ``lines`` has it. A hidden number is no other's.
        """
        normalize = self._client.lines.normalize
        number = normalize(first)
        return number is not None and number == normalize(second)
