"""Restore session: handle the session yourself, and every way in which it fails."""

import stage

from keyyo_cti import Keyyo

your_session_id = stage.earlier_session()
csi_token = stage.csi_token
cti = Keyyo.CTI(stage.options, cookie_auto=False)


def restored(err, res):
    if err:
        # Invalid CSI token (expires or not exists)
        if err.status_code == 400 and err.error_code == "invalid_csi_token":
            # Refresh your CSI token
            print("invalid token")
        elif err.status_code == 400 and err.error_code == "missing_parameter":
            # Your session id is missing as parameter
            print("no session id")
        elif err.status_code == 401:
            # Your session is invalid
            # Create a new session
            print("invalid session")
        return
    print(res)


cti.restore_session("an old token", your_session_id, restored)
stage.expect("invalid token")

cti.restore_session(csi_token, restored)
stage.expect("no session id")

cti.restore_session(csi_token, "an old session id", restored)
stage.expect("invalid session")

cti.restore_session(csi_token, your_session_id, restored)
stage.expect("Result(number='33199000001', now=...")
