"""Small damage to good files: bytes as a disk or an editor spoils them, and JSON whose values are not what they should
be."""

from __future__ import annotations

import copy
import gzip
import json
import random
from typing import Any

TOKENS = (
    b"", b"\0", b'"', b"'", b",", b";", b"\t", b"\r", b"\n", b"\r\n", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xe9",
    b"\xc3",
    b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b"1e999", b"-0", b"0x10", b"1_000", b"1,000.5", b"12%", b"NULL",
    b"None",
    b"?", b"#N/A", b"true", b"9" * 400, b"999999999999999999999", b"1e-400", b"2024-02-30", b"2024-01-01T00:00:00Z",
    b"0000-00-00", b"{", b"}", b"[", b"]", b"=", b"[[setting]]", b"\\u0000", b"\xf0\x9f\x90\xb6", b"\xe2\x80\xae",
    b"x" * 70000,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e308, 5e-324, 10**30, -(10**400), float("nan"), float("inf"), "", "a",
    "0", "nan",
    "../..", "\0", "x" * 5000, [], {}, [None], [[]], [0] * 3, {"a": 1}, ["a", 1], {"": {}}, "completed", "RUNNING",
)  # fmt: skip
MOST_DEPTH = 3000


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Return content after one to four small damages."""
    for _ in range(draw.choices((1, 2, 4), (8, 2, 1))[0]):
        content = draw.choices(DAMAGES, WEIGHTS)[0](content, draw)
    return content


def _place(content: bytes, draw: random.Random) -> tuple[int, int]:
    """Return the bounds of a piece, more often a short one."""
    start = draw.randrange(len(content) + 1)
    return start, min(len(content), start + draw.choice((1, 2, 5, 30, 300)))


def _flip(content: bytes, draw: random.Random) -> bytes:
    if not content:
        return content
    changed = bytearray(content)
    changed[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _remove(content: bytes, draw: random.Random) -> bytes:
    start, end = _place(content, draw)
    return content[:start] + content[end:]


def _repeat(content: bytes, draw: random.Random) -> bytes:
    start, end = _place(content, draw)
    return content[:end] + content[start:end] * draw.choice((1, 3, 200)) + content[end:]


def _put(content: bytes, draw: random.Random) -> bytes:
    start, end = _place(content, draw)
    return content[:start] + draw.choice(TOKENS) + content[draw.choice((start, end)) :]


def _swap_lines(content: bytes, draw: random.Random) -> bytes:
    lines = content.split(b"\n")
    draw.shuffle(lines)
    return b"\n".join(lines)


def _replace_everywhere(content: bytes, draw: random.Random) -> bytes:
    start, end = _place(content, draw)
    return content.replace(content[start:end], draw.choice(TOKENS)[:50], 50) if start < end else content


def _encode(content: bytes, draw: random.Random) -> bytes:
    text = content.decode("utf-8", errors="replace")
    return text.encode(draw.choice(("utf-16", "utf-16-le", "utf-8-sig", "utf-32", "cp1252")), errors="replace")


def _compress(content: bytes, draw: random.Random) -> bytes:
    return gzip.compress(content, mtime=0)


DAMAGES = (_flip, _remove, _repeat, _put, _replace_everywhere, _swap_lines, _cut, _encode, _compress)
WEIGHTS = (4, 4, 4, 8, 4, 1, 2, 1, 1)


def damaged_json(value: Any, draw: random.Random) -> bytes:
    """Return a JSON text in which a value, a name or a whole piece is not what it should be."""
    changed = copy.deepcopy(value)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        _change(changed, draw)
    text = json.dumps(changed, indent=draw.choice((None, 2)))
    if draw.random() < 0.02:
        text = "[" * MOST_DEPTH + text + "]" * MOST_DEPTH
    return text.encode()


def _change(value: Any, draw: random.Random) -> None:
    """Change one place in nested lists and dictionaries."""
    places = list(_places(value))
    if not places:
        return
    holder, name = draw.choice(places)
    kind = draw.random()
    if kind < 0.6:
        holder[name] = draw.choice(VALUES)
    elif kind < 0.8:
        del holder[name]
    elif kind < 0.9:
        other, there = draw.choice(places)
        if there in (other if isinstance(other, dict) else range(len(other))):
            holder[name] = copy.deepcopy(other[there])
    elif isinstance(holder, dict):
        holder[draw.choice(("", "x", f"{name} "))] = holder.pop(name)
    else:
        holder += holder[name : name + 1] * draw.choice((1, 50))


def _places(value: Any) -> Any:
    """Give every holder and name in nested lists and dictionaries."""
    names = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from _places(value[name])
