"""The OAuth2 routes on aiohttp: the consent page and the token request."""

from __future__ import annotations

import secrets
from typing import Dict, Mapping

from aiohttp import web

from .consent import (
    ALLOW,
    DECISION,
    FORM_TOKEN,
    REFUSE,
    make_redirect_url,
    render_consent_page,
    render_error_page,
)
from .forms import read_basic_credentials, read_form
from .oauth2 import Authority, NotRedirectable, OAuth2Error

PATH = "/oauth2"
AUTHORIZE = "/authorize.php"
TOKEN = "/token.php"

PRIVATE = {"Cache-Control": "no-store"}

PAGE_HEADERS = {
    **PRIVATE,
    # Otherwise another site could show the page in a frame and trick a visitor into clicking
    # Allow. There is no form-action: browsers would apply it to the redirect too.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}

MAX_FORMS = 1_000
"""Maximum number of open consent pages; the oldest are discarded."""


class OAuth2Site:
    """The OAuth2 routes of an authority.

    There is no login: the visitor of the consent page owns the account.

    :param authority: grants access.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._forms: Dict[str, Mapping[str, str]] = {}

    def application(self) -> web.Application:
        """Return the aiohttp application to mount at `PATH`."""
        application = web.Application()
        application.add_routes([
            web.get(AUTHORIZE, self._authorize),
            web.post(AUTHORIZE, self._authorize),
            web.post(TOKEN, self._token),
        ])
        return application

    def decide(self, asked: Mapping[str, str], allow: bool) -> str:
        """Return the URL of the redirect after a click.

        :param asked: the parameters of the authorization request.
        :param allow: True for a click on Allow.
        :raises NotRedirectable: the redirect URI is not registered.
        """
        application = self._authority.find_applicant(asked)
        try:
            self._authority.read_scopes(application, asked)
        except OAuth2Error as error:
            return _make_location(asked, error=error.error)
        if not allow:
            return _make_location(asked, error="access_denied")
        return _make_location(asked, code=self._authority.issue_code(application, asked))

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        asked = {**request.query, **await read_form(request)}
        decision, form_token = asked.pop(DECISION, None), asked.pop(FORM_TOKEN, "")
        try:
            application = self._authority.find_applicant(asked)
            scopes = self._authority.read_scopes(application, asked)
        except NotRedirectable as error:
            return _make_page(render_error_page(str(error)), 400)
        except OAuth2Error as error:
            return _redirect(_make_location(asked, error=error.error))
        if request.method != "POST":
            form_token = self._make_form_token(asked)
            return _make_page(render_consent_page(
                application.client_id, scopes, asked, PATH + AUTHORIZE, form_token))
        if decision not in (ALLOW, REFUSE):
            return _make_page(render_error_page("The answer must be Allow or Refuse."), 400)
        if self._forms.get(form_token) != asked:
            # Otherwise another site could send the form. It cannot read the form token.
            message = "The form is not from this page: open the page again."
            return _make_page(render_error_page(message), 400)
        return _redirect(self.decide(asked, decision == ALLOW))

    def _make_form_token(self, asked: Mapping[str, str]) -> str:
        """Return a new form token, valid for this request only.

        It stays valid after the form is sent, because a second click sends the form again.
        """
        form_token = secrets.token_urlsafe(24)
        self._forms[form_token] = dict(asked)
        while len(self._forms) > MAX_FORMS:
            del self._forms[next(iter(self._forms))]
        return form_token

    async def _token(self, request: web.Request) -> web.StreamResponse:
        fields = await read_form(request)
        basic = read_basic_credentials(request)
        if basic is not None:
            fields["client_id"], fields["client_secret"] = basic
        try:
            return web.json_response(self._authority.answer_token_request(fields), headers=PRIVATE)
        except OAuth2Error as error:
            headers = dict(PRIVATE)
            if error.status == 401 and basic is not None:
                headers["WWW-Authenticate"] = "Basic"
            body = {"error": error.error, "error_description": error.description}
            return web.json_response(body, status=error.status, headers=headers)


def _make_page(html: str, status: int = 200) -> web.Response:
    return web.Response(text=html, status=status, content_type="text/html", headers=PAGE_HEADERS)


def _make_location(asked: Mapping[str, str], **answer: str) -> str:
    if "state" in asked:
        answer["state"] = asked["state"]
    return make_redirect_url(asked["redirect_uri"], answer)


def _redirect(location: str) -> web.Response:
    # HTTPFound would normalise the registered URI.
    return web.Response(status=302, headers={**PRIVATE, "Location": location})
