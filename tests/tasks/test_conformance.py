"""Every built-in task passes the suite that ships for those who add one."""

from typing import ClassVar

from xit_ray.tasks import registry
from xit_ray.testing.tasks import TaskConformance, pytest_generate_tests  # noqa: F401 - pytest looks for it here


class TestTasks(TaskConformance):
    tasks: ClassVar = list(registry.tasks().values())
