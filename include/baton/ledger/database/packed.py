"""Numbers that a query brings along packed: `string_agg(float8send(...), '')` by group.

So a group's quantiles, and those of groups put together, are known from one scan: PostgreSQL would
sort the rows anew for each way of grouping them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


def unpack(groups: Iterable[bytes | None]) -> Numbers:
    """Return the numbers of all groups; a group without any is None."""
    import numpy as np

    whole = b"".join(bytes(one) for one in groups if one)
    return np.frombuffer(whole, np.dtype(">f8")).astype(np.float64)


def quantiles(numbers: Numbers, at: tuple[float, ...]) -> tuple[Any, ...]:
    """Return the quantiles as percentile_cont has them, each None where there is no number."""
    import numpy as np

    if not numbers.size:
        return (None,) * len(at)
    return tuple(float(one) for one in np.quantile(numbers, at))
