"""CSV files of contacts: their columns, encodings and delimiters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from keyyo_cti.directory import Contact, CSVFile

ALICE = "33199000001"


def read(path: Path, content: "str | bytes", columns: "Dict[str, str] | None" = None) -> List[
        Contact]:
    path = path / "contacts.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return CSVFile(path, columns).contacts()


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("name,phone", "Zoë,0199000001", Contact("Zoë", numbers=("0199000001",))),
        ("Nom;Prénom;Société;Téléphone", "Example;Zoë;Ex SA;01 99 00 00 01",
         Contact("Zoë Example", "Ex SA", ("01 99 00 00 01",), first_name="Zoë")),
        # Keyyo's own names, where "name" is the family name.
        ("uid,name,first_name,company,default_number,work_number,mobile_number,home_number,"
         "work_speed_number,base64_picture",
         "7,Example,Zoë,Ex,331990001,331990002,331990003,331990004,801,AAAA",
         Contact("Zoë Example", "Ex",
                 ("0331990001", "0331990002", "0331990003", "0331990004"), ("801",),
                 first_name="Zoë", uid="7")),
        # Google.
        ("Name,Given Name,Family Name,Organization 1 - Name,Phone 1 - Type,Phone 1 - Value,"
         "Phone 2 - Type,Phone 2 - Value",
         "Zoë Example,Zoë,Example,Ex,Mobile,+33 1 99,Work Fax,0199000002 ::: 0199000003",
         Contact("Zoë Example", "Ex", ("+33 1 99", "0199000002", "0199000003"),
                 first_name="Zoë", family_name="Example")),
        # Outlook.
        ("First Name,Last Name,Company,Business Fax,Business Phone,Mobile Phone,E-mail Address",
         "Zoë,Example,Ex,0199000009,0199000001,,zoe@example.org",
         Contact("Zoë Example", "Ex", ("0199000001",), first_name="Zoë", family_name="Example",
                 email="zoe@example.org")),
        ("Société\tTél. portable\tNuméro court", "Ex\t0199000001\t12",
         Contact("", "Ex", ("0199000001",), ("12",))),
        # A quoted cell with the delimiter, a quote and a line break.
        ('nom;tel', '"Ex ""A""; B\nC";0199000001',
         Contact('Ex "A"; B C', numbers=("0199000001",))),
        # A customer's number is no telephone number.
        ("customer,customer number,phone", "Ex,4711,0199000001",
         Contact("", "Ex", ("0199000001",))),
    ],
)
def test_columns_are_found_by_their_names(
    tmp_path: Path, header: str, row: str, expected: Contact
) -> None:
    assert read(tmp_path, f"\n{header}\n{row}\n\n  \n") == [expected]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("latin-1", b""), ("cp1252", b""),
     ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encoding_is_detected(
    tmp_path: Path, encoding: str, mark: bytes, line_end: str
) -> None:
    text = line_end.join(["name;phone;société", "Zoë;+33199000001;Café", ""])
    [zoe] = read(tmp_path, mark + text.encode(encoding))
    assert zoe == Contact("Zoë", "Café", ("+33199000001",))


def test_bytes_that_no_encoding_has_are_read_all_the_same(tmp_path: Path) -> None:
    [zoe] = read(tmp_path, b"name;phone\nZo\xeb\x81;0199000001\n")
    assert zoe.name == "Zo\xeb\x81"


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("199000001", ("0199000001",)),
        ("33199000001.0", (ALICE,)),
        ('"=""0199000001"""', ("0199000001",)),
        ("'0199000001", ("0199000001",)),
        ("01 99 00 00 01 / 01 99 00 00 02", ("01 99 00 00 01", "01 99 00 00 02")),
        ("0199000001 ou 0199000002", ("0199000001", "0199000002")),
        ('"0199000001\n0199000001"', ("0199000001",)),
        ("  ", ()),
    ],
)
def test_numbers_of_a_spreadsheet_are_read(
    tmp_path: Path, cell: str, numbers: Tuple[str, ...]
) -> None:
    assert read(tmp_path, f"name;phone\nZoë;{cell}\n") == [Contact("Zoë", numbers=numbers)]


def test_line_of_excel_names_the_delimiter(tmp_path: Path) -> None:
    content = "sep=|\r\nname|phone\r\nZoë, Example; Co|0199000001\r\n"
    assert read(tmp_path, content)[0].name == "Zoë, Example; Co"


def test_columns_that_the_program_names_are_read(tmp_path: Path) -> None:
    columns = {"Kunde": "name", "Rufnummer": "numbers", "Kurz": "short_numbers"}
    content = "Kunde;Rufnummer;Kurz;phone\nZoë;0199000001;12;\n"
    assert read(tmp_path, content, columns) == [Contact("Zoë", None, ("0199000001",), ("12",))]
    with pytest.raises(ValueError, match="columns: expected one of .*numbers.*; got 'phone'"):
        CSVFile("contacts.csv", {"Rufnummer": "phone"})


def test_rows_that_are_too_short_or_long_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, "phone,name,company\n0199000001\n0199000002,Zoë,Ex,more,and more\n")
    assert found == [Contact("", numbers=("0199000001",)), Contact("Zoë", "Ex", ("0199000002",))]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("cell", [
    "x" * 200_000, '"' + "x" * 200_000 + '"', '"' + 'a "", ; \t\r\n' * 30_000 + '"',
    "x" * 131_072 + '"', "\0", '"' + "x" * 131_073 + '"x', "x" * 131_073,
], ids=["plain", "quoted", "lines", "quote", "nul", "behind", "limit"])
def test_cell_that_is_too_long_does_not_refuse_the_file(
    tmp_path: Path, cell: str, delimiter: str
) -> None:
    rows = [["name", "notes", "phone"], ['5" pipe', "", "0199000003"],
            ["Zoë", cell, "0199000001"], ['"A ""B"""', '"a\nb"', "0199000002"], [cell]]
    found = read(tmp_path, "\n".join(map(delimiter.join, rows)))
    assert found[:3] == [
        Contact(name, numbers=(f"019900000{number}",))
        for name, number in (('5" pipe', 3), ("Zoë", 1), ('A "B"', 2))]


def test_quote_without_an_end_before_much_text_is_refused_in_linear_time(tmp_path: Path) -> None:
    for cell in ('"' + "x" * 200_000, ('""' + "x") * 200_000, '"' + '""' * 200_000):
        content = f"name,phone\n{cell}\n".encode() + b"A,0199000001\n" * 20_000
        try:
            assert read(tmp_path, content)[-1:] != []
        except ValueError as error:
            assert "is not a CSV file" in str(error)


@pytest.mark.parametrize("content", ["Kunde;Ort\nZoë;Paris\n", "33199000001,Zoë\n", "a\0b\n1\n"])
def test_file_without_numbers_is_refused_with_what_to_do(tmp_path: Path, content: str) -> None:
    with pytest.raises(ValueError, match="contacts.csv"):
        read(tmp_path, content)


def test_empty_file_has_no_contacts(tmp_path: Path) -> None:
    assert read(tmp_path, "") == [] == read(tmp_path, "name,phone\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_pipe_and_folder_are_refused_without_a_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            CSVFile(path).contacts()


def test_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyyo_cti._directory.contact_file._MAX_FILE_BYTES", 10)
    with pytest.raises(OSError, match="more than 10 bytes"):
        read(tmp_path, "name,phone\n")


def test_path_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="path: expected a path, got int"):
        CSVFile(5)  # type: ignore[arg-type]
