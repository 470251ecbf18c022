"""Errors: what a callback gets when the server refuses."""

import stage

from keyyo_cti import Keyyo

cti = Keyyo.CTI(stage.options)


def created(err, res):
    # Handle error if err is set
    if err:
        print(err.status_code, err.message)
        return


cti.create_session("Your CSI token", created)

stage.expect("400 Invalid token")
