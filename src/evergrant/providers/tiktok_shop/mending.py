"""Answers with something in them that is no JSON, made readable: what is broken is replaced, every other byte stays."""

import re

DEEPEST = 100
"""How deep an answer may be nested; a reader of ours breaks somewhere beyond."""
CUT = b'"\xff"'
"""What stands where something was nested deeper. It is no UTF-8, so no row that is whole holds it."""

MARKS, MOST_MARKS = (b'"', b"[", b"{"), 1_000_000
"""What begins a text, a list, an object; an answer with more of them than any page of orders is not looked through."""

REPLACED = b"\\ufffd"
HIGH, LOW = (b"d8", b"d9", b"da", b"db"), (b"dc", b"dd", b"de", b"df")
"""How the two halves of a character begin that JSON writes as a pair."""

STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
"""One that is never closed goes on to the end, so that no answer is read more than once."""
TOKENS = re.compile(STRINGS.pattern + rb"|[\[\]{}]", re.DOTALL)
CONTROLS = re.compile(rb"[\x00-\x1f]")


def mended(body: bytes) -> bytes:
    """The answer with every byte that is no text, every bare control character and every lone half of a character replaced."""
    if sum(body.count(mark) for mark in MARKS) > MOST_MARKS:
        return body
    text = body if is_text(body) else body.decode(errors="replace").encode()
    text = STRINGS.sub(lambda found: CONTROLS.sub(REPLACED.replace(b"\\", rb"\\"), found[0]), text)
    return b"\\\\".join(_halves_mended(part) for part in text.split(b"\\\\"))


def shallow(body: bytes) -> bytes:
    """The answer with everything that is nested too deeply cut out."""
    if sum(body.count(mark) for mark in MARKS) > MOST_MARKS:
        return body
    parts, depth, begin = list[bytes](), 0, 0
    for token in TOKENS.finditer(body):
        if token[0] in (b"[", b"{"):
            depth += 1
            if depth == DEEPEST:
                parts += [body[begin : token.start()], CUT]
        elif token[0] in (b"]", b"}"):
            begin = token.end() if depth == DEEPEST else begin
            depth -= 1
    return b"".join([*parts, body[begin:]])


def is_text(raw: bytes) -> bool:
    """Whether it is UTF-8, as JSON has to be."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _halves_mended(part: bytes) -> bytes:
    first, *escapes = part.split(b"\\u")
    result, is_open = [first], False
    for escape, after in zip(escapes, [*escapes[1:], b""], strict=False):
        begins = escape[:2].lower()
        is_whole = is_open or begins not in HIGH + LOW
        is_open = not is_open and begins in HIGH and len(escape) == 4 and after[:2].lower() in LOW
        result.append(escape if is_whole or is_open else b"fffd" + escape[4:])
    return b"\\u".join(result)
