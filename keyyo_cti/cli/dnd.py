"""``keyyo-cti dnd``: do-not-disturb, by the profiles of a line."""

import argparse
import re
from typing import List, Optional

from ..results import ProfileInfo
from .exit_codes import OK, CommandFailed
from .invocation import format_command
from .login_account import require_account
from .parser import add_line, add_trust
from .terminal import Terminal, escape

#: The scopes of a login that may put profiles in force.
_SCOPES = "cti_admin full_access_read_only voip_profiles_admin"

#: The identifier or the name of a profile for do-not-disturb, without what is no letter.
_WORDS = ("dnd", "donotdisturb", "nepasderanger", "nepasdéranger")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "It puts a profile of the line in force until you end it. Without --profile, that is the "
        "one whose name is dnd, do not disturb or ne pas déranger. On and off need the scope "
        f"voip_profiles_admin: {format_command('login', '--scope', _SCOPES)}"
    )
    parser.add_argument(
        "state", choices=("on", "off", "status"), metavar="STATE", help="on, off or status"
    )
    add_line(parser)
    parser.add_argument(
        "--profile", metavar="IDENTIFIER", help="the profile to put in force, or to end"
    )
    add_trust(parser)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    account = require_account(arguments.ca_certs, arguments.allow_http)
    csi = account.select_line(arguments.csi)
    profiles = account.client.profiles(csi)
    if arguments.state == "on":
        profile = _select(profiles, arguments.profile)
        if not profile.forced:
            account.client.force_profile(csi, _identify(profile))
    elif arguments.state == "off":
        # Not every profile in force: another one may be there on purpose, such as a forwarding.
        profile = _select(profiles, arguments.profile)
        if profile.forced is not False:
            account.client.force_profile(csi, _identify(profile), False)
    if arguments.state != "status":
        # As Keyyo sees it now, not as it was requested.
        profiles = account.client.profiles(csi)
    out.print_line(_describe(csi, profiles))
    return OK


def _select(profiles: List[ProfileInfo], identifier: Optional[str]) -> ProfileInfo:
    """Return the profile that the user named, or the one for do-not-disturb.

    :raises CommandFailed: there is none, or there are several.
    """
    if identifier is not None:
        found = [each for each in profiles if each.identifier == identifier]
    else:
        found = [each for each in profiles if _is_for_silence(each)]
    if len(found) != 1:
        listed = ", ".join(_name(each) for each in profiles) or "no profile"
        raise CommandFailed(
            f"which profile is do-not-disturb? Name it with --profile; the line has {listed}"
        )
    return found[0]


def _is_for_silence(profile: ProfileInfo) -> bool:
    names = (profile.identifier, profile.name)
    return any(re.sub(r"[\W_]", "", str(name)).lower() in _WORDS for name in names)


def _identify(profile: ProfileInfo) -> str:
    return str(profile.identifier)


def _describe(csi: str, profiles: List[ProfileInfo]) -> str:
    forced = [_name(each) for each in profiles if each.forced]
    if not forced:
        return f"{escape(csi)}: off, the line follows its schedule"
    silent = any(each.forced and _is_for_silence(each) for each in profiles)
    return f"{escape(csi)}: {'on' if silent else 'off'}, in force: {', '.join(forced)}"


def _name(profile: ProfileInfo) -> str:
    name = f" ({profile.name})" if profile.name else ""
    return escape(f"{profile.identifier}{name}")
