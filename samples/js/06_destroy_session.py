"""Destroy session: close the connection with the server, and end the session."""

import stage

cti = stage.connect()


def destroyed(err, res):
    if err:
        print(err)
        return
    print(res)


cti.destroy_session(destroyed)

cti.wait(stage.PATIENCE)
stage.expect("1")
print(cti.connected)
stage.expect("False")
