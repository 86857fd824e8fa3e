"""``python -m xit_ray.search`` with a Ray whose workers are forks."""

import runpy

from tests.search import zygote

if __name__ == "__main__":
    zygote.fork_processes()
    runpy.run_module("xit_ray.search", run_name="__main__", alter_sys=True)
