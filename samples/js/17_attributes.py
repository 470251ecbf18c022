"""Attributes: whether the CTI is connected."""

import stage

from keyyo_cti import Keyyo

cti = Keyyo.CTI(stage.options)


def created(err, res):
    print(cti.connected)


print(cti.connected)
cti.create_session(stage.csi_token, created)

stage.expect("False", "True")
