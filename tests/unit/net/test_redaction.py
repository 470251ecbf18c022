"""Secrets in text: hidden whole, in part and in disguise, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from keyyo_cti._net import redaction
from keyyo_cti._net.redaction import HIDDEN, hide, redact

SECRET = "a1f9-Xk27_QzW04"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_secrets", {})
    monkeypatch.setattr(redaction, "_version", object())


@pytest.mark.parametrize(
    "text, shown",
    [
        (f"Invalid token {SECRET} was sent", f"Invalid token {HIDDEN} was sent"),
        (f"a {SECRET.lower()} b", f"a {HIDDEN} b"),
        (f"a {SECRET[:9]} b", f"a {HIDDEN} b"),
        (f"a {SECRET[-10:]} b", f"a {HIDDEN} b"),
        ("token=short", f"token={HIDDEN}"),
        ('{"session_id": "abc"}', f'{{"session_id": "{HIDDEN}"}}'),
        ("Authorization: Bearer abcdef012345", f"Authorization: Bearer {HIDDEN}"),
        ("http://user:pass@proxy.test:80/x", f"http://{HIDDEN}@proxy.test:80/x"),
        ("Invalid token: expired", "Invalid token: expired"),
        ("400 Cannot treat action", "400 Cannot treat action"),
        ("33199020000 -> 33199000001", "33199020000 -> 33199000001"),
        (" ".join(SECRET), HIDDEN),
    ],
)
def test_text_is_redacted(text: str, shown: str) -> None:
    hide(SECRET, "33199020000-33199000001-abcdefgh")
    assert redact(text) == shown


@pytest.mark.parametrize(
    "secret", ["", " ", None, True, 1.5, [], "\u200b", pytest.param(10 ** 5000, id="huge")])
def test_nothing_usable_hides_nothing(secret: Any) -> None:
    hide(secret)
    assert redact("True 1.5 None [] 1") == "True 1.5 None [] 1"


@pytest.mark.parametrize(
    "secret, text, shown",
    [
        ("1", "call 1 of 10", f"call {HIDDEN} of 10"),
        ("tok", "tok took", f"{HIDDEN} took"),
        ("token", "my-token.", f"my-{HIDDEN}."),
        ("tok", f"tokens {SECRET}", f"tokens {HIDDEN}"),
        (12345678901, "id 12345678901 and 12345678", f"id {HIDDEN} and 12345678"),
    ],
)
def test_short_secret_hides_no_more_than_words(secret: Any, text: str, shown: str) -> None:
    hide(secret, SECRET)
    assert redact(text) == shown


def test_passwords_of_proxies_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:from%20env1@proxy.test")
    redaction.hide_passwords(["http://me:by-option@proxy.test", None, "http://[", "http://plain"])
    assert redact("by-option from%20env1") == f"{HIDDEN} {HIDDEN}"
    assert "from env1" not in redact("a from env1 b")


def test_oldest_secrets_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_MAX_SECRETS", 2)
    hide("first-secret", "second-secret", "third-secret")
    assert list(redaction._secrets) == ["second-secret", "third-secret"]
