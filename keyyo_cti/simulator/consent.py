"""The pages that a visitor's browser shows: the consent, and what is wrong with a request."""

from __future__ import annotations

from html import escape
from typing import Iterable, Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

from .oauth2 import SCOPES

DECISION = "decision"
FORM_TOKEN = "form_token"
ALLOW = "allow"
REFUSE = "refuse"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
</head>
<body>
<h1>{title}</h1>
{content}
<p><small>This is a simulator, not Keyyo.</small></p>
</body>
</html>
"""


def consent_page(
    client_id: str,
    scopes: Iterable[str],
    request: Mapping[str, str],
    action: str,
    form_token: str,
) -> str:
    """A page that asks the owner of the account whether an application may have access.

    :param client_id: the application's.
    :param scopes: what it asks for.
    :param request: the parameters of the authorization request, which the form sends again.
    :param action: where the form sends them.
    :param form_token: shows that the form is from this page.
    """
    wishes = "\n".join(
        f"<li>{escape(SCOPES[scope])} (<code>{escape(scope)}</code>)</li>"
        for scope in sorted(scopes))
    fields = "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in {**request, FORM_TOKEN: form_token}.items())
    content = f"""<p>The application <strong>{escape(client_id)}</strong> asks to:</p>
<ul>
{wishes}
</ul>
<form method="post" action="{escape(action)}">
{fields}
<button type="submit" name="{DECISION}" value="{ALLOW}">Allow</button>
<button type="submit" name="{DECISION}" value="{REFUSE}">Refuse</button>
</form>"""
    return _PAGE.format(title="Allow access to your account?", content=content)


def error_page(message: str) -> str:
    """A page that says what is wrong with an authorization request."""
    return _PAGE.format(
        title="This request cannot be authorized", content=f"<p>{escape(message)}</p>")


def redirect_url(redirect_uri: str, answer: Mapping[str, str]) -> str:
    """The redirect URI with an answer added to whatever query it has."""
    parts = urlsplit(redirect_uri)
    query = "&".join(filter(None, [parts.query, urlencode(answer)]))
    return urlunsplit(parts._replace(query=query))
