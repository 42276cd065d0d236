"""Every choice of `published`, and the fields that each row must have."""

from __future__ import annotations

from darts_tf.config import PublishedTable, names
from darts_tf.protocol import published_later


def test_published_rows_say_where_they_are_from():
    known = set(names(PublishedTable))
    assert known == published_later.ROWS.keys() == published_later.MEASURES.keys()
    for rows in published_later.ROWS.values():
        assert len({row.name for row in rows}) == len(rows)
        for row in rows:
            assert row.published and row.test and row.method
            assert row.parameters is None or 1e6 < row.parameters < 4e7
            assert row.cost is None or row.cost / 86_400 <= 3150
