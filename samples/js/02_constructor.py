"""Constructor: options as JavaScript's object literal."""

import stage

from keyyo_cti import CTIOptions, Keyyo

options: CTIOptions = {
    "cookie_name": "my_session_name",
    "cookie_expires": 365,
}

cti = Keyyo.CTI(options)

print(cti)
stage.expect("<CTI without a line yet, not connected>")
