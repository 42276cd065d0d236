from __future__ import annotations

from darts_tf.run import time_budget
from darts_tf.run.time_budget import TimeBudget


def test_work_takes_at_most_its_share_of_the_time(monkeypatch):
    now, done = [0.0], []
    monkeypatch.setattr(time_budget.time, "monotonic", lambda: now[0])
    budget = TimeBudget(share=0.01, seconds=3.0)
    for epoch in range(100):
        now[0] += 10.0
        if budget.left:
            done.append(epoch)
            with budget.spending():
                now[0] += 2.0
    assert done[:2] == [0, 1]  # a short run has all of its epochs
    assert 2 * len(done) <= 3 + 0.01 * now[0] + 2
    assert len(done) >= 6
