"""Authorities that change or go away while a program runs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Callable, List

import pytest
import trustme

from keyyo_cti._net.tls import Contexts, NoAuthorities

from ...helpers.background import SOON

pytestmark = pytest.mark.fault(54)


def write_authority(file: Path) -> trustme.CA:
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    file.write_bytes(authority.cert_pem.bytes())
    return authority


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "unpacked" / "ca.pem"
    file.parent.mkdir()
    write_authority(file)
    return file


@pytest.fixture
def contexts() -> Contexts:
    return Contexts()


def warnings(caplog: pytest.LogCaptureFixture) -> List[str]:
    return [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]


def delete(file: Path) -> None:
    file.unlink()


def delete_the_folder(file: Path) -> None:
    file.unlink()
    file.parent.rmdir()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def put_another_thing(file: Path) -> None:
    file.write_text("a page of a proxy")


LOSSES = pytest.mark.parametrize(
    "lose", [delete, delete_the_folder, empty, cut, put_another_thing]
)


@LOSSES
def test_file_that_is_lost_leaves_its_context_and_warns_once(
    file: Path,
    contexts: Contexts,
    lose: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    context = contexts.get(str(file))
    lose(file)
    for _ in range(3):
        assert contexts.get(str(file)) is context
    (warning,) = warnings(caplog)
    assert str(file) in warning and "restore the file" in warning


@LOSSES
def test_file_that_was_never_read_is_an_error(
    file: Path, contexts: Contexts, lose: Callable[[Path], None]
) -> None:
    lose(file)
    with pytest.raises(NoAuthorities, match="ca.pem"):
        contexts.get(str(file))


def test_file_that_may_not_be_read(
    file: Path, contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = contexts.get(str(file))

    def stat(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", stat)
    assert contexts.get(str(file)) is context


def test_file_that_changes_is_read_again(file: Path, contexts: Contexts) -> None:
    """Also where its time is the same, as a copy may keep it."""
    first = contexts.get(str(file))
    before = os.stat(file)
    write_authority(file)
    with open(file, "ab") as end:
        end.write(b"\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    second = contexts.get(str(file))
    assert second is not first and contexts.get(str(file)) is second
    assert second.get_ca_certs() != first.get_ca_certs()


def test_file_that_comes_back_is_used_and_its_next_loss_warned_of(
    file: Path, contexts: Contexts, caplog: pytest.LogCaptureFixture
) -> None:
    first = contexts.get(str(file))
    for count in (1, 2):
        file.unlink()
        contexts.get(str(file))
        assert len(warnings(caplog)) == count
        write_authority(file)
        context = contexts.get(str(file))
        assert context.get_ca_certs() != first.get_ca_certs()


def test_contexts_are_bounded(tmp_path: Path) -> None:
    contexts = Contexts(size=2)
    files = [tmp_path / f"{number}.pem" for number in range(3)]
    for file in files:
        write_authority(file)
    first, _ = contexts.get(str(files[0])), contexts.get(str(files[1]))
    assert contexts.get(str(files[0])) is first
    contexts.get(str(files[2]))
    for file in files:
        file.unlink()
    assert contexts.get(str(files[0])) is first
    with pytest.raises(NoAuthorities):
        contexts.get(str(files[1]))


def test_many_threads_warn_once(
    file: Path, contexts: Contexts, caplog: pytest.LogCaptureFixture
) -> None:
    context = contexts.get(str(file))
    got: List[Any] = []
    file.unlink()
    threads = [
        threading.Thread(target=lambda: got.append(contexts.get(str(file)))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert got == 8 * [context] and len(warnings(caplog)) == 1
