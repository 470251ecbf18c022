"""The HTML pages of OAuth2: the consent page and the error page."""

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


def render_consent_page(
    client_id: str,
    scopes: Iterable[str],
    request: Mapping[str, str],
    action: str,
    form_token: str,
) -> str:
    """Return a page that asks the owner of the account to allow an application.

    :param client_id: the application's.
    :param scopes: the requested scopes.
    :param request: the parameters of the authorization request, which the form sends again.
    :param action: the URL of the form.
    :param form_token: proves that the form is from this page.
    """
    items = "\n".join(
        f"<li>{escape(SCOPES[scope])} (<code>{escape(scope)}</code>)</li>"
        for scope in sorted(scopes))
    fields = "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in {**request, FORM_TOKEN: form_token}.items())
    content = f"""<p>The application <strong>{escape(client_id)}</strong> asks to:</p>
<ul>
{items}
</ul>
<form method="post" action="{escape(action)}">
{fields}
<button type="submit" name="{DECISION}" value="{ALLOW}">Allow</button>
<button type="submit" name="{DECISION}" value="{REFUSE}">Refuse</button>
</form>"""
    return _PAGE.format(title="Allow access to your account?", content=content)


def render_error_page(message: str) -> str:
    """Return a page that shows the error in an authorization request."""
    return _PAGE.format(
        title="This request cannot be authorized", content=f"<p>{escape(message)}</p>")


def make_redirect_url(redirect_uri: str, answer: Mapping[str, str]) -> str:
    """Return the redirect URI with an answer added to its query."""
    parts = urlsplit(redirect_uri)
    query = "&".join(filter(None, [parts.query, urlencode(answer)]))
    return urlunsplit(parts._replace(query=query))
