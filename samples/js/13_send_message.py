"""Send message: a text for the display of a telephone."""

import stage

stage.reaches(stage.carol)
cti = stage.connect()


def sent(err, res):
    if err:
        print(err)
        return
    print(res)


cti.send_message("33172587948", "The message...", sent)

stage.expect("1")
stage.carol.reads("The message...")
