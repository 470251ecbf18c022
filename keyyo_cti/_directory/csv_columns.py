"""The columns of a CSV file of contacts, found by their names. Pure.

It knows the names in English and French, as in the exports of Keyyo, Google and Outlook.
"""

import re
import unicodedata
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

NUMBERS, SHORT_NUMBERS = "numbers", "short_numbers"

#: The fields of a Contact that are one column each, with the names of that column.
_NAMES: Dict[str, Tuple[str, ...]] = {
    "first_name": ("first name", "firstname", "given name", "prenom"),
    "family_name": ("family name", "last name", "lastname", "surname", "nom de famille"),
    "name": (
        "name", "nom", "full name", "display name", "nom complet", "nom et prenom",
        "prenom et nom", "nom prenom", "contact", "nom affiche",
    ),
    "company": (
        "company", "company name", "organization", "organisation", "organization name",
        "organization 1 name", "societe", "entreprise", "raison sociale", "client", "customer",
    ),
    "job": ("job", "job title", "title", "organization title", "fonction", "titre"),
    "email": (
        "email", "e mail", "mail", "email address", "e mail address", "e mail 1 value",
        "courriel", "adresse e mail", "adresse email",
    ),
    "address": ("address", "adresse"),
    "branch": ("branch", "agence"),
    "uid": ("uid", "id"),
}

#: Words of which each makes a column one of numbers.
_NUMBER_WORDS = {
    "phone", "phones", "telephone", "telephones", "tel", "tels", "mobile", "portable", "gsm",
    "cell", "cellphone", "fixe", "telephonique",
}

#: Whole names of columns with numbers.
_NUMBER_NAMES = {
    "number", "numbers", "numero", "numeros", "default number", "work number", "home number",
    "caller", "msisdn",
}

#: Words of columns with short numbers.
_SHORT_WORDS = {"short", "speed", "court", "courts", "abrege", "abreges", "interne"}

#: Words of columns beside the numbers, such as "Phone 1 - Type" and "Business Fax".
_OTHER_WORDS = {
    "fax", "telecopie", "telecopieur", "type", "label", "libelle", "mail", "email", "pager",
    "telex", "extension", "country", "pays", "model", "modele", "date", "id", "name", "nom",
}


class Columns(NamedTuple):
    """The columns of a file, by their positions.

    :ivar fields: of the fields that are one text.
    :ivar numbers: of the telephone numbers.
    :ivar short_numbers: of the short numbers.
    """

    fields: Mapping[str, int]
    numbers: Sequence[int]
    short_numbers: Sequence[int]

    @property
    def score(self) -> int:
        """The number of columns that were found."""
        return len(self.fields) + len(self.numbers) + len(self.short_numbers)


def find_columns(header: Sequence[str], told: Mapping[str, str]) -> Columns:
    """Return the columns of a file.

    :param header: the names of its columns.
    :param told: the field of a column, by the name of the column.
    """
    known = {_normalize(name): field for name, field in told.items()}
    fields: Dict[str, int] = {}
    lists: Dict[str, List[int]] = {NUMBERS: [], SHORT_NUMBERS: []}
    names = [_normalize(name) for name in header]
    for at, name in enumerate(names):
        field = known[name] if name in known else _find_field(name)
        if field in lists:
            lists[field].append(at)
        elif field is not None and (field not in fields or name in known):
            fields[field] = at
    return Columns(fields, lists[NUMBERS], lists[SHORT_NUMBERS])


def _find_field(name: str) -> Optional[str]:
    for field, names in _NAMES.items():
        if name in names:
            return field
    if name in _NUMBER_NAMES:
        return NUMBERS
    # Without digits, as in "phone2".
    words = set(re.sub("[0-9]+", " ", name).split())
    if words & _OTHER_WORDS:
        return None
    is_number = bool(words & {*_NUMBER_WORDS, *_NUMBER_NAMES})
    if words & _SHORT_WORDS and (is_number or words <= _SHORT_WORDS):
        return SHORT_NUMBERS
    return NUMBERS if words & _NUMBER_WORDS else None


def _normalize(name: str) -> str:
    """Return a name in lower case, with words of letters and digits, without accents."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(each for each in letters if not unicodedata.combining(each))
    return " ".join(re.findall(r"[^\W_]+", plain))
