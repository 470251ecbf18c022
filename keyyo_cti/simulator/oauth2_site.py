"""The OAuth2 site on aiohttp: the consent page for browsers, the token for applications."""

from __future__ import annotations

import secrets
from typing import Dict, Mapping

from aiohttp import web

from .consent import ALLOW, DECISION, FORM_TOKEN, REFUSE, consent_page, error_page, redirect_url
from .forms import basic_credentials_of, form_of
from .oauth2 import Authority, NotRedirectable, OAuth2Error

PATH = "/oauth2"
AUTHORIZE = "/authorize.php"
TOKEN = "/token.php"

PRIVATE = {"Cache-Control": "no-store"}

PAGE_HEADERS = {
    **PRIVATE,
    # In a frame of another site, a visitor could be tricked into a click on Allow. Without
    # form-action, which browsers also apply to the redirect that follows.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}

MAX_FORMS = 1_000
"""Consent pages that wait for a click; the oldest are discarded."""


class OAuth2Site:
    """Serves the pages of an authority.

    There is no login: the visitor of the consent page owns the account.

    :param authority: who grants.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._forms: Dict[str, Mapping[str, str]] = {}

    def application(self) -> web.Application:
        """The aiohttp application to be mounted at `PATH`."""
        application = web.Application()
        application.add_routes([
            web.get(AUTHORIZE, self._authorize),
            web.post(AUTHORIZE, self._authorize),
            web.post(TOKEN, self._token),
        ])
        return application

    def decide(self, asked: Mapping[str, str], allow: bool) -> str:
        """Where the visitor's browser is sent after a click.

        :param asked: the parameters of the authorization request.
        :param allow: whether the click was on Allow.
        :raises NotRedirectable: the browser is not sent anywhere.
        """
        application = self._authority.applicant(asked)
        try:
            self._authority.asked(application, asked)
        except OAuth2Error as error:
            return _location(asked, error=error.error)
        if not allow:
            return _location(asked, error="access_denied")
        return _location(asked, code=self._authority.code(application, asked))

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        asked = {**request.query, **await form_of(request)}
        decision, form_token = asked.pop(DECISION, None), asked.pop(FORM_TOKEN, "")
        try:
            application = self._authority.applicant(asked)
            scopes = self._authority.asked(application, asked)
        except NotRedirectable as error:
            return _page(error_page(str(error)), 400)
        except OAuth2Error as error:
            return _redirect(_location(asked, error=error.error))
        if request.method != "POST":
            form_token = self._new_form(asked)
            return _page(consent_page(
                application.client_id, scopes, asked, PATH + AUTHORIZE, form_token))
        if decision not in (ALLOW, REFUSE):
            return _page(error_page("The answer must be Allow or Refuse."), 400)
        if self._forms.get(form_token) != asked:
            # Another site may have sent the form, which cannot read the page with its token.
            return _page(error_page("The form is not from this page: open the page again."), 400)
        return _redirect(self.decide(asked, decision == ALLOW))

    def _new_form(self, asked: Mapping[str, str]) -> str:
        """Make the token of a form, good for this request only. It can be sent again, as a
        second click does."""
        form_token = secrets.token_urlsafe(24)
        self._forms[form_token] = dict(asked)
        while len(self._forms) > MAX_FORMS:
            del self._forms[next(iter(self._forms))]
        return form_token

    async def _token(self, request: web.Request) -> web.StreamResponse:
        fields = await form_of(request)
        basic = basic_credentials_of(request)
        if basic is not None:
            fields["client_id"], fields["client_secret"] = basic
        try:
            return web.json_response(self._authority.answer(fields), headers=PRIVATE)
        except OAuth2Error as error:
            headers = dict(PRIVATE)
            if error.status == 401 and basic is not None:
                headers["WWW-Authenticate"] = "Basic"
            complaint = {"error": error.error, "error_description": error.description}
            return web.json_response(complaint, status=error.status, headers=headers)


def _page(html: str, status: int = 200) -> web.Response:
    return web.Response(text=html, status=status, content_type="text/html", headers=PAGE_HEADERS)


def _location(asked: Mapping[str, str], **answer: str) -> str:
    if "state" in asked:
        answer["state"] = asked["state"]
    return redirect_url(asked["redirect_uri"], answer)


def _redirect(location: str) -> web.Response:
    # Not HTTPFound, which would write the registered address in its own way.
    return web.Response(status=302, headers={**PRIVATE, "Location": location})
