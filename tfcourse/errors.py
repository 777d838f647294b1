"""Mistakes that the person at the keyboard can mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(ValueError):
    """A mistake the user can mend; the message says what was given, what is allowed and what to do.

    In one's own code it is a ValueError like any other. The command line prints it as one message without a traceback
    and exits with status 2.
    """


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest allowed name, or an empty string.

    >>> did_you_mean("learning_rat", ["learning_rate", "dropout"])
    " Did you mean 'learning_rate'?"
    >>> did_you_mean("zzz", ["learning_rate"])
    ''
    """
    near = nearest(given, allowed)
    return f" Did you mean {near!r}?" if near is not None else ""


def nearest(given: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name that is most like the given one, capitals apart; None if none is much like it.

    >>> nearest("Alcohol", ["alcohol", "ash"]), nearest("zzz", ["alcohol"])
    ('alcohol', None)
    """
    by_lower_case = {name.lower(): name for name in reversed(list(allowed))}
    found = difflib.get_close_matches(given.lower(), by_lower_case, n=1)
    return by_lower_case[found[0]] if found else None
