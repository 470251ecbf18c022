"""Dial number: Alice's telephone calls a colleague, whose telephone rings."""

import stage

stage.reaches(stage.carol)
cti = stage.connect()


def dialled(err, res):
    if err:
        print(err)
        return
    print(res)


cti.dial("33172587948", dialled)

stage.expect("1")
stage.carol.sees("ringing")
