"""A run's folder as something that can be reported of, whatever state its search is in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from xit_ray.spec.errors import UserError
from xit_ray.spec.load import SPEC, load_space
from xit_ray.spec.space import Space
from xit_ray.tasks import own
from xit_ray.track import tables
from xit_ray.track.journal import Journal
from xit_ray.track.state import State


@contextmanager
def readable(folder: Path) -> Iterator[tuple[Space, State]]:
    """A run's space and state, with its tables as its journal has them now.

    Raises:
        UserError: the run cannot be read, while the block works with it either.
    """
    space, state = load_space(folder / SPEC), State(Journal(folder).read())
    own.register(space.tasks)
    tables.write(state, folder)
    try:
        yield space, state
    except pa.ArrowInvalid as error:
        raise UserError(f"{folder}: a table of it is damaged: {error}") from None
