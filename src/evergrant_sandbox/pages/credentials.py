"""What may be entered as an e-mail address and as a password: the same on every form that asks for them."""

import re

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,100}\.[^@\s.]{1,30}")
_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 6, 200


def is_email(entered: str) -> bool:
    """Whether it can be an e-mail address."""
    return _EMAIL.fullmatch(entered) is not None


def fault_of_password(entered: str) -> str:
    """What is wrong with a new password; nothing, if it will do."""
    if len(entered) < _SHORTEST_PASSWORD:
        return f"Choose a password of at least {_SHORTEST_PASSWORD} characters."
    return f"Choose a password of at most {_LONGEST_PASSWORD} characters." if len(entered) > _LONGEST_PASSWORD else ""
