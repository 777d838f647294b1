"""Texts that stand for a missing value: some always do, some only where the rest of the column is of another kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

ALWAYS = frozenset(
    {
        "", "nan", "-nan", "<na>", "nat", "#n/a", "#na", "#n/a n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!",
        "#null!", "#getting_data", "#calc!", "#spill!", "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind", "\\n", "(null)",
        "<null>", "(blank)", "[null]",
    }
)  # fmt: skip
"""Written by programs, never by a person who means a value; compared without regard to case."""
MAYBE = frozenset(
    {
        "na", "n/a", "n.a.", "n.a", "null", "none", "nil", "-", "--", "---", "–", "—", ".", "..", "...", "…", "?", "??",
        "not available", "missing", "unknown", "undefined", "k. a.", "k.a.", "n.v.", "tbd",
    }
)  # fmt: skip
"""Missing among numbers, dates and truth values."""
PLAIN_WORDS = frozenset({"not available", "missing", "unknown", "undefined", "tbd"})
"""Those of :data:`MAYBE` that, among words, are plainly words like the others."""
OF_CATEGORIES = frozenset({"n/a", "n.a.", "null", "?", "??"})
"""Those of :data:`MAYBE` that stand for a missing value among words too."""
FOR_PANDAS = ("NA", "None")
"""Missing among words as well, unless they look like these: NA beside EU, None beside Mild and Severe."""


def is_always(text: str) -> bool:
    """Say whether a text is missing in every column.

    >>> is_always("#N/A"), is_always("None")
    (True, False)
    """
    return text.casefold() in ALWAYS


def among_others(text: str) -> bool:
    """Say whether a text is missing in a column whose other values are numbers, dates or truth values.

    >>> among_others("None"), among_others("n/a"), among_others("low")
    (True, True, False)
    """
    return text.casefold() in MAYBE or is_always(text)


def among_words(text: str, others: Sequence[str]) -> bool:
    """Say whether a text is missing in a column whose ``others`` are words.

    >>> among_words("NA", ["EU", "US"]), among_words("NA", ["Biscoe", "Dream"])
    (False, True)
    >>> among_words("None", ["Mild", "Severe"]), among_words("?", ["a", "b"]), among_words("None", ["a1", "a2"])
    (False, True, True)
    """
    if is_always(text) or text.casefold() in OF_CATEGORIES:
        return True
    if text == "NA":
        return not all(other.isupper() and len(other) <= 3 for other in others)
    if text == "None":
        return not all(other[:1].isupper() and other[1:].islower() for other in others if other)
    return False


def in_target(text: str, others: Iterable[str]) -> bool:
    """Say whether a text is a missing label: among numbers any marker, among words only what no person would mean.

    >>> in_target("None", ["Mild", "Severe"]), in_target("-", ["+"]), in_target("?", ["0", "1"]), in_target("", ["a"])
    (False, False, True, True)
    """
    if is_always(text):
        return True
    numbers = all(other.replace(".", "", 1).lstrip("+-").isdigit() for other in others)
    return text.casefold() in (MAYBE if numbers else OF_CATEGORIES)
