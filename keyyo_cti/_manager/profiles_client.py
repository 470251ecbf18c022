"""The part of ``ManagerClient`` for the profiles of a line."""

from typing import Any, List, cast

from .._net import hal
from .._oauth2.scopes import VOIP_PROFILES_ADMIN
from ..errors import invalid_params
from ..results import ProfileInfo, wrap
from .api import Api
from .paths import of_line, quote_segment
from .responses import read_flag

#: Fields that are None if Keyyo left them out.
_FIELDS = dict.fromkeys(
    (
        "identifier", "name", "backup_number", "forward_unconditionally_number",
        "forward_on_no_answer_number", "forward_delay",
    )
)


class ProfilesClient:
    """The profiles of a line, which say where its calls go."""

    _api: Api

    def profiles(self, csi: str) -> List[ProfileInfo]:
        """Return the profiles of a line. Source: ``GET /services/<csi>/profiles``.

        :param csi: the line's CSI.
        :returns: a ProfileInfo for each. ``default`` is always there.
        :raises KeyyoError: as for ``lines``.
        """
        return [_read(profile) for profile in self._api.get_all(_path(csi))]

    def force_profile(self, csi: str, identifier: str, forced: bool = True) -> ProfileInfo:
        """Put a profile in force until further notice, such as one for do-not-disturb.

        Source: ``POST /services/<csi>/profiles/<identifier>``.

        :param csi: the line's CSI.
        :param identifier: of the profile.
        :param forced: False ends it, and the line follows its schedule again.
        :returns: a ProfileInfo, as in ``profiles``.
        :raises KeyyoError: as for ``lines``; 403 without the scope ``voip_profiles_admin``.
        """
        if not isinstance(forced, bool):
            raise invalid_params("forced", "expected True or False")
        path = f"{_path(csi)}/{quote_segment('identifier', identifier)}"
        reply = self._api.post(path, {"forced": "1" if forced else "0"}, VOIP_PROFILES_ADMIN)
        # The status alone reports success; the body may be empty.
        fields = hal.unwrap(reply.fields(), "identifier")
        return _read({"identifier": identifier, "forced": forced, **fields})


def _path(csi: str) -> str:
    quote_segment("csi", csi)
    return of_line(csi, "profiles")


def _read(fields: hal.Document) -> ProfileInfo:
    flags = {name: read_flag(fields.get(name)) for name in ("forced", "forward_to_voicemail")}
    # This API also sends numbers for texts. As a number, an identifier would equal no text of a
    # user, and force_profile would refuse it.
    texts = {name: _read_text(fields.get(name)) for name in ("identifier", "name")}
    return cast(ProfileInfo, wrap({**_FIELDS, **fields, **texts, **flags}))


def _read_text(value: Any) -> Any:
    return value if isinstance(value, bool) or not isinstance(value, int) else str(value)
