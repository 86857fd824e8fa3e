"""What is random in a test is drawn from one seed per run, which is printed at its end; ``XIT_TEST_SEED`` sets it."""

import os
import random

SEED = int(os.environ.setdefault("XIT_TEST_SEED", str(random.SystemRandom().randrange(10**6))))


def rng(name: str) -> random.Random:
    """A source of chance for one test, the same in all processes of a run."""
    return random.Random(f"{SEED} {name}")
