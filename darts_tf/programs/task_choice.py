"""Chooses the task of a space: images or language."""

from __future__ import annotations

from darts_tf.config_rules import is_text
from darts_tf.programs.images import ImageProgramTask
from darts_tf.programs.task import Task
from darts_tf.programs.texts import TextProgramTask


def task_of(space: str) -> Task:
    """Returns the task of the space with this name."""
    return TextProgramTask() if is_text(space) else ImageProgramTask()
