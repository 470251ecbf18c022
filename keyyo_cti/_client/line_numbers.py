"""The lines whose calls a CTI sees, and their numbers in every form."""

from typing import (
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Union,
)

from .._display.telephone_number import FRANCE, to_international

#: Type of the option ``lines``.
Lines = Sequence[Union[str, Mapping[str, Any]]]


class Settings(Protocol):
    """The settings of a session, as far as its lines need them."""

    def subscribed(self) -> List[str]:
        """Return the subscriptions that are known."""

    def list_followed(self) -> List[str]:
        """Return the lines whose calls may be known."""


class Session(Protocol):
    """A session, as far as its lines need it."""

    number: Optional[str]

    @property
    def settings(self) -> Settings:
        """Its settings."""


class LineNumbers:
    """The numbers of the own line, of the subscribed lines, and of those that the program told.

    It is computed when a program asks, so that it costs nothing otherwise.

    :param told: the option ``lines``.
    """

    def __init__(self, session: Session, told: Lines = ()) -> None:
        self._session = session
        self._told = dict(_read(told))
        self._short_numbers = {short: line for line, short in self._told.items() if short}

    def normalize(self, number: Any) -> Optional[str]:
        """Return a number in international format, or None if it is hidden or no number.

        A short number is replaced by the number of its line, if the program told it.
        """
        if type(number) is int:
            number = str(number)
        if not isinstance(number, str):
            return None
        found = to_international(number, self._home())
        return found if found is None else self._short_numbers.get(found, found)

    def is_own(self, number: Optional[str]) -> bool:
        """Return True for the number of the session's line, in international format."""
        return number is not None and number == self.normalize(self._session.number)

    def groups(self) -> Iterator[Dict[str, str]]:
        """Yield the lines by their numbers in international format, the likeliest first.

        They are the own and the subscribed lines; lines of earlier sessions and subscriptions,
        whose calls are still known; and the lines that the program told.
        """
        settings = self._session.settings
        yield self._by_number([self._session.number, *settings.subscribed()])
        yield self._by_number(settings.list_followed())
        yield self._by_number(self._told)

    def _by_number(self, numbers: Iterable[Optional[str]]) -> Dict[str, str]:
        found: Dict[str, str] = {}
        for number in numbers:
            normalized = self.normalize(number)
            if normalized is not None:
                found.setdefault(normalized, str(number))
        return found

    def _home(self) -> str:
        """Return the number whose country national numbers are of."""
        own = self._session.number
        found = to_international(own, FRANCE) if isinstance(own, str) else None
        return found or FRANCE


def is_lines(value: Any) -> bool:
    """Return True if a value has the type ``Lines``."""
    return isinstance(value, (list, tuple)) and all(
        isinstance(each, str) or (isinstance(each, Mapping) and isinstance(each.get("csi"), str))
        for each in value
    )


def _read(told: Lines) -> Iterator[Tuple[str, str]]:
    """Yield the number and the short number of each line, "" if it has none."""
    for each in told:
        if isinstance(each, str):
            csi, short = each, None
        else:
            csi, short = each["csi"], each.get("short_number")
        number = to_international(csi, FRANCE)
        if number is not None:
            yield number, "" if short is None else str(short).strip()
