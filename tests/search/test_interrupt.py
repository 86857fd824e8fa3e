"""An interrupt is never lost, even where Python drops the exception."""

import os
import signal
import time

import pytest

from xit_ray.search import interrupt


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("number", interrupt.SIGNALS)
def test_an_interrupt_that_a_destructor_swallowed_is_raised_again(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupt, "PATIENCE_SECONDS", 0.3)

    class Swallows:
        def __del__(self) -> None:
            os.kill(os.getpid(), number)
            time.sleep(0.05)  # the exception is raised here, and dropped

    def work() -> None:
        with interrupt.interruptible():
            Swallows()
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                time.sleep(0.01)

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        work()
    assert signal.getsignal(number) == before


def test_without_an_interrupt_nothing_happens() -> None:
    before = [signal.getsignal(number) for number in interrupt.SIGNALS]
    with interrupt.interruptible():
        pass
    assert [signal.getsignal(number) for number in interrupt.SIGNALS] == before
