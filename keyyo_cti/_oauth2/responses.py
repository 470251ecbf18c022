"""The responses of Keyyo's OAuth2: codes, tokens and refusals. Pure."""

import hmac
import re
from typing import Any, Callable, Dict, Mapping, NoReturn, Optional
from urllib.parse import parse_qs

from .._net.http_request import Reply, SecretForm
from .._net.javascript import as_number
from ..errors import CredentialsRefused, OAuth2Error, invalid_params
from .scopes import SIGN_IN_AGAIN, read_granted
from .tokens import Tokens

#: A parameter in a URL of the redirect.
_PARAMETER = re.compile(r"[?&](code|error|state)=")

#: Keyyo's codes of permanent errors, and what to do.
_FINAL = {
    "invalid_grant": "it has expired, was used already, or was revoked: " + SIGN_IN_AGAIN,
    "invalid_client": "check the client id and the client secret",
    "unauthorized_client": "check what Keyyo allows to this client id",
    "access_denied": "the user has not allowed it",
}

#: Statuses below 500 of a busy server.
_BUSY = (408, 429)

_FOREIGN = "a firewall or a gateway may have answered in Keyyo's place: then try again later"


def is_redirected_url(text: str) -> bool:
    """Return True if a text is the URL of the redirect, and not only a code."""
    return "://" in text or _PARAMETER.search(text) is not None


def _text_of(code_or_redirected_url: object) -> str:
    if not isinstance(code_or_redirected_url, str) or not code_or_redirected_url.strip():
        raise invalid_params("code_or_redirected_url", "expected a string that is not empty")
    # A terminal may have supplied surrogates, which no code contains.
    return code_or_redirected_url.strip().encode("utf-8", "replace").decode()


def read_code(code_or_redirected_url: object, state: Optional[str]) -> str:
    """Return the authorization code of the redirect.

    :param state: of the authorization. The URL must contain the same.
    :raises KeyyoError: the URL belongs to another authorization, or is a refusal.
    """
    text = _text_of(code_or_redirected_url)
    if not is_redirected_url(text):
        return text
    # Browsers show a URL without its scheme, and people copy it so.
    parameters = parse_qs(text.partition("#")[0].partition("?")[2])
    [theirs] = parameters.get("state", [""])[-1:]
    if not state or not hmac.compare_digest(theirs.encode(), state.encode()):
        raise OAuth2Error(
            400,
            "The state in the URL is not that of this authorization",
            "invalid_state",
            "the URL answers another request, perhaps an attacker's: " + SIGN_IN_AGAIN,
        )
    if "error" in parameters:
        _raise_error(400, {name: values[-1] for name, values in parameters.items()})
    if "code" not in parameters:
        raise OAuth2Error(
            400, "There is no code in the URL", "invalid_request", "give the whole URL"
        )
    return parameters["code"][-1]


def read_tokens(
    fields: Mapping[str, Any], old: Optional[Tokens], asked_at: float
) -> Optional[Tokens]:
    """Return the tokens of a response, or None if it has none.

    :param old: the refreshed tokens, whose refresh token stays if the response has no other.
    :param asked_at: Unix time of the request in seconds.
    """
    access_token = fields.get("access_token")
    refresh_token = fields.get("refresh_token") or (old.refresh_token if old else None)
    seconds = as_number(fields.get("expires_in"))
    expires_at = None if seconds is None else asked_at + seconds
    # A missing scope means the one that was granted before (RFC 6749, section 5.1).
    scope = read_granted(fields.get("scope")) or (old.scope if old else None)
    try:
        return Tokens(access_token or "", refresh_token, expires_at, scope)
    except ValueError:
        return None


def raise_refusal(
    reply: Reply, credentials: SecretForm, seconds: Optional[float]
) -> NoReturn:
    """Raise the error of a response without tokens.

    :param seconds: of ``Retry-After``.
    """
    said = _said(reply.fields(), credentials.redact)
    if "error" in said:
        _raise_error(400 if reply.ok else reply.status, said, seconds)
    busy = reply.status in _BUSY or reply.status >= 500
    raise OAuth2Error(
        502 if reply.ok else reply.status,
        f"The response has no tokens: {reply.status} {credentials.redact(reply.reason)}",
        None if busy else "unreadable",
        "try again later" if busy else f"check the token_url; {_FOREIGN}",
        retry_after=seconds,
    )


def _said(fields: Mapping[str, Any], redact: Callable[[str], str]) -> Dict[str, str]:
    """Return the error fields of a response, redacted."""
    names = ("error", "error_description")
    said = {name: redact(fields[name]) for name in names if isinstance(fields.get(name), str)}
    if fields.get("error") in _FINAL:
        # Not redacted: a pasted code may be a part of this word.
        said["error"] = fields["error"]
    return said


def _raise_error(
    status: int, said: Mapping[str, str], seconds: Optional[float] = None
) -> NoReturn:
    code, reason = said["error"], said.get("error_description") or None
    # The error of a server that is down or busy is transient, whatever its code.
    final = code in _FINAL and status < 500 and status not in _BUSY
    kind = CredentialsRefused if final else OAuth2Error
    words = reason or code or "Refused without a reason"
    hint = _FINAL[code] if final else None
    raise kind(status, words, code or None, hint, reason=reason, retry_after=seconds)
