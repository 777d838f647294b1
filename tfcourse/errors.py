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
    names = list(allowed)
    by_lower_case = {name.lower(): name for name in reversed(names)}
    nearest = difflib.get_close_matches(given.lower(), by_lower_case, n=1)
    return f" Did you mean {by_lower_case[nearest[0]]!r}?" if nearest else ""
