"""Create session: connect with a CSI token."""

import stage

from keyyo_cti import Keyyo

csi_token = stage.csi_token
cti = Keyyo.CTI(stage.options)


def created(err, res):
    if err:
        print(err)
        return
    print("connected")


cti.create_session(csi_token, created)

stage.expect("connected")
