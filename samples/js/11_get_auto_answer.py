"""Get auto-answer's state."""

import stage

cti = stage.connect()


def got(err, res):
    if err:
        print(err)
        return
    print(res.auto_answer)


cti.get_auto_answer(got)

stage.expect("True")
