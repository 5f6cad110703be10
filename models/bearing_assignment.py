"""Which bearing belongs to which track: the assignment that is best for all together, not for one after the other.

Global nearest neighbour (Blackman and Popoli 1999, sec. 6.4), solved by the Hungarian method in scipy.
"""

from __future__ import annotations

from collections.abc import Sequence


def assign(costs: Sequence[Sequence[float]], most: float) -> dict[int, int]:
    """Pair rows with columns so that the pairs' costs under `most` are, in sum, as far under it as can be.

    Args:
        costs: of each pair, shape (rows, columns).
        most: pairs that cost this or more are not made.

    Returns:
        the column of each row that has one.
    """
    possible = [[column for column, cost in enumerate(row) if cost < most] for row in costs]
    wanted = [column for row in possible for column in row]
    if all(len(row) <= 1 for row in possible) and len(set(wanted)) == len(wanted):
        return {number: row[0] for number, row in enumerate(possible) if row}
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment([[min(cost, most) - most for cost in row] for row in costs])
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if costs[row][column] < most}
