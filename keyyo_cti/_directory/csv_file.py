"""Contacts in a CSV file."""

import csv
import io
import os
import re
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from .contact import Contact
from .contact_file import ContactFile
from .csv_columns import NUMBERS, SHORT_NUMBERS, Columns, find_columns

_DELIMITERS = (";", ",", "\t")

#: Excel's first line in some countries.
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)

#: The apostrophe in front of what a spreadsheet would run as a formula.
_APOSTROPHE = re.compile(r"""(^|;)'(?=[ "]*[-=+@\u2212\uff1d\uff0b\uff0d\uff20])""")

#: Between several numbers in one cell.
_BETWEEN_NUMBERS = re.compile(r"[\n;|,]|:::|\s/\s|\b(?:ou|or|et|and)\b")

#: A French number of which a spreadsheet has removed the zero.
_WITHOUT_ZERO = re.compile(r"[1-9][0-9]{8}")

#: A whole number as a spreadsheet writes it, such as 33199000001.0.
_DECIMAL = re.compile(r"([0-9]+)\.0+")

_COLUMN_FIELDS = frozenset(Contact._fields) - {"csi"}


class CSVFile(ContactFile):
    """Contacts in a CSV file, as a spreadsheet or an address book exports it.

    The first line has the names of the columns, in English or French. Any column whose name says
    telephone, phone, tel or mobile has numbers. The encoding (UTF-8, UTF-16, Latin 1) and the
    delimiter (``;``, ``,`` or a tab) are detected. Nine digits without a zero in front are a
    French number, because spreadsheets remove the zero.

    :param path: the file, resolved now; a later ``chdir`` does not change it.
    :param columns: the field of a Contact by the name of its column, for columns that are not
        found by their names: ``{"Rufnummer": "numbers", "Kunde": "name"}``.
    :raises TypeError: ``path`` is not a path.
    :raises ValueError: ``columns`` names an unknown field.
    """

    def __init__(
        self,
        path: Union[str, "os.PathLike[str]"],
        columns: Optional[Mapping[str, str]] = None,
    ) -> None:
        super().__init__(path)
        self._columns = dict(columns or {})
        for field in self._columns.values():
            if field not in _COLUMN_FIELDS:
                known = ", ".join(sorted(_COLUMN_FIELDS))
                raise ValueError(f"columns: expected one of {known}; got {field!r}")

    def _parse(self, text: str) -> List[Contact]:
        try:
            return self._read_contacts(text, False)
        except csv.Error:
            # Such as a cell with a picture. It is none of the columns that are read.
            pass
        try:
            return self._read_contacts(text.replace("\0", ""), True)
        except csv.Error as error:
            raise ValueError(f"{self.path} is not a CSV file: {error}") from None

    def _read_contacts(self, text: str, without_long: bool) -> List[Contact]:
        rows, columns = self._find_rows(text, without_long)
        return list(_read_rows(rows, columns))

    def _find_rows(self, text: str, without_long: bool) -> Tuple[Iterator[List[str]], Columns]:
        """Return the rows below the header, and the columns, by the best delimiter.

        :param without_long: True to empty the cells that are too long for the module csv.
        """
        said = _SEPARATOR_LINE.match(text)
        delimiters = _DELIMITERS if said is None else (said[1],)
        text = text if said is None else text[said.end():]
        best: Optional[Tuple[Iterator[List[str]], Columns]] = None
        header: List[str] = []
        for delimiter in delimiters:
            content = _empty_long_cells(text, delimiter) if without_long else text
            rows = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
            names = next((row for row in rows if any(map(str.strip, row))), [])
            columns = find_columns(names, self._columns)
            header = max(header, names, key=len)
            if best is None or columns.score > best[1].score:
                best = rows, columns
        assert best is not None
        if header and not (best[1].numbers or best[1].short_numbers):
            found = ", ".join(map(repr, header[:10]))
            raise ValueError(
                f"{self.path} has no column of telephone numbers in {found}: name one 'phone' in "
                "its first line, or pass columns={'...': 'numbers'}"
            )
        return best


def _empty_long_cells(text: str, delimiter: str) -> str:
    # Read only: the limit is that of the process.
    limit = csv.field_size_limit()
    between = re.escape(delimiter)
    cells = rf'"[^"]*(?:""[^"]*)*"|[^{between}\r\n"][^{between}\r\n]*'
    return re.sub(cells, lambda cell: cell[0] if len(cell[0]) <= limit else "", text)


def _read_rows(rows: Iterator[List[str]], columns: Columns) -> Iterator[Contact]:
    # Many contacts have the same company, and with this the same string.
    shared: Dict[str, str] = {}
    for row in rows:
        cells = [_APOSTROPHE.sub(r"\1", " ".join(cell.split())) for cell in row]
        texts = {
            field: shared.setdefault(cells[at], cells[at])
            for field, at in columns.fields.items()
            if at < len(cells) and cells[at]
        }
        numbers = _read_numbers(row, columns.numbers, True)
        short_numbers = _read_numbers(row, columns.short_numbers, False)
        if texts or numbers or short_numbers:
            name = _join_name(texts.pop("name", ""), texts)
            yield Contact(
                name, **{NUMBERS: numbers, SHORT_NUMBERS: short_numbers},  # type: ignore[arg-type]
                **texts,  # type: ignore[arg-type]
            )


def _join_name(name: str, texts: Mapping[str, str]) -> str:
    """Return the whole name. A column "name" beside a first name may be the family name."""
    first, family = texts.get("first_name", ""), texts.get("family_name", "")
    if name and (family or not first or first.casefold() in name.casefold()):
        return name
    return " ".join(filter(None, [first, family or name]))


def _read_numbers(row: Sequence[str], places: Sequence[int], is_whole: bool) -> Tuple[str, ...]:
    found: Dict[str, None] = {}
    for at in places:
        for each in _BETWEEN_NUMBERS.split(row[at]) if at < len(row) else ():
            # Excel keeps the zero of a text such as ="0199000001" or '0199000001.
            number = each.strip().lstrip("='\"").rstrip("\"").strip()
            decimal = _DECIMAL.fullmatch(number)
            number = number if decimal is None else decimal[1]
            if is_whole and _WITHOUT_ZERO.fullmatch(number):
                number = f"0{number}"
            if number:
                found[number] = None
    return tuple(found)
