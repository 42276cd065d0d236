"""The spaces by the name that genotypes carry."""

from __future__ import annotations

import difflib

from darts_tf.errors import InputError
from darts_tf.space import conv, nasbench201, recurrent, robust
from darts_tf.space.cell import SearchSpace

SPACES = {
    space.name: space
    for space in (conv.SPACE, *robust.SPACES, nasbench201.SPACE, recurrent.SPACE)
}


def space_by_name(name: str) -> SearchSpace:
    """The space called `name`.

    Raises:
      InputError: there is none.
    """
    if isinstance(name, str) and name in SPACES:
        return SPACES[name]
    raise InputError(
        f"unknown space {name!r}{closest(name, SPACES)}; the spaces are "
        f"{', '.join(sorted(SPACES))}"
    )


def closest(name: object, names) -> str:
    """' (did you mean X?)' where one of `names` is like `name`, else ''."""
    near = difflib.get_close_matches(str(name), list(names), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
