"""Restore session: go on with the session in the cookie."""

import stage

from keyyo_cti import Keyyo

stage.earlier_session()
csi_token = stage.csi_token
cti = Keyyo.CTI(stage.options)


def restored(err, res):
    if err:
        print(err)
        return
    print(res)


cti.restore_session(csi_token, restored)

stage.expect("Result(number='33199000001', now=...")
