"""For people who add a task, a kind or a store: what every one of them must pass, and small things to test with.

from xit_ray.testing.tasks import TaskConformance

class TestMyTask(TaskConformance):
    tasks = [MY_TASK]
"""
