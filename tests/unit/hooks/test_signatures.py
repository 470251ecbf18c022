"""The signatures of Standard Webhooks."""

import base64

import pytest

from keyyo_cti._hooks.signatures import parse_keys, sign


def test_sign_gives_the_example_of_the_specification() -> None:
    """The secret, the message and the signature of its reference libraries."""
    keys = parse_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    signature = sign(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("length", [24, 32, 64])
def test_parse_keys_takes_one_or_several(length: int) -> None:
    word = "whsec_" + base64.b64encode(bytes(length)).decode()
    assert parse_keys(f" {word}\n") == [bytes(length)]
    assert parse_keys(f"{word} {word}") == [bytes(length)] * 2


@pytest.mark.parametrize(
    "text",
    ["", " ", "canary", "whsec_", "whsec_canary!", "whsec_canary",
     "whsec_" + base64.b64encode(bytes(65)).decode(), "whsec_ MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
     "Whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSé"],
)
def test_parse_keys_refuses_a_wrong_secret_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="expected whsec_ and then 24 to 64 bytes") as error:
        parse_keys(text)
    assert error.value.__cause__ is None
    assert "canary" not in str(error.value) and "MfKQ" not in str(error.value)
