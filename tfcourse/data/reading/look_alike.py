"""Texts that differ only in capitals, white space or the way they are written: likely one value, spelled twice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal

from tfcourse.words import listed

_PLAIN_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)")
_UNSEEN = ("Cf", "Cc")
"""Unicode's categories of characters that are not seen: zero-width spaces, soft hyphens, byte order marks."""
MOST_NAMED = 3
DIFFER = "differ only in capitals, spaces or the way they are written"


def alike_key(text: str) -> str:
    """Return what texts that look alike have in common.

    Unicode's compatibility form, capitals folded, without characters that are not seen, white space as single blanks;
    of a plain number its value.

    >>> alike_key("New  York") == alike_key("NEW YORK"), alike_key("ﬁne") == alike_key("Fi\\u200bne")
    (True, True)
    >>> alike_key("01") == alike_key("1.0"), alike_key("a-b") == alike_key("ab")
    (True, False)
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = "".join(letter for letter in text if letter.isspace() or unicodedata.category(letter) not in _UNSEEN)
    text = " ".join(text.split())
    if text.isascii() and _PLAIN_NUMBER.fullmatch(text):
        return f"{Decimal(text).normalize() + 0:f}"
    return text


def look_alikes(counts: Mapping[str, int]) -> list[list[str]]:
    """Return the texts that look like others, those of one look together, the most frequent first.

    Args:
        counts: in how many rows each text stands.

    >>> look_alikes({"Yes": 3, "yes": 90, "no": 50})
    [['yes', 'Yes']]
    """
    groups: dict[str, list[str]] = {}
    for text in counts:
        groups.setdefault(alike_key(text), []).append(text)
    found = [sorted(group, key=lambda text: (-counts[text], text)) for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda group: -sum(counts[text] for text in group[1:]))


def alike_words(counts: Mapping[str, int], one: str, several: str) -> list[str]:
    """Return a line on texts that look alike, none if there are no such.

    Args:
        counts: in how many rows each text stands.
        one: what each of them is taken for, as ``a class``.
        several: what they are called, as ``labels``.

    >>> print(*alike_words({"yes": 90, "Yes": 3, "no": 5}, "a class", "labels"))
    the labels 'yes' (90 rows) and 'Yes' (3 rows) differ only in capitals, spaces or the way they are written; each is a class of its own: if they are one, write them alike in the file
    """  # noqa: E501
    groups = look_alikes(counts)
    if not groups:
        return []
    named = "; ".join(listed([f"{text!r} ({rows_in_words(counts[text])})" for text in g]) for g in groups[:MOST_NAMED])
    more = f" (and {len(groups) - MOST_NAMED} more such groups)" if len(groups) > MOST_NAMED else ""
    return [
        f"the {several} {named}{more} {DIFFER}; each is {one} of its own: if they are one, write them alike in the file"
    ]


def alike_of(text: str, known: Iterable[str]) -> str | None:
    """Return the known text that looks like another one, None if none does.

    >>> alike_of("YES", ["no", "yes"]), alike_of("maybe", ["no", "yes"])
    ('yes', None)
    """
    key = alike_key(text)
    return next((other for other in known if other != text and alike_key(other) == key), None)


def rows_in_words(count: int) -> str:
    """Return a number of rows in words.

    >>> rows_in_words(1), rows_in_words(2)
    ('1 row', '2 rows')
    """
    return f"{count} row{'s' * (count != 1)}"
