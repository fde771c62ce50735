"""What the test files cost: seconds of a processor, with those of the processes they wait for.

Fair beside other work, which seconds of a clock are not. What a fixture costs is the first test's
that asks for it; a worker's imports and collection are a row of their own.
"""

import os
from collections import Counter
from collections.abc import Generator

import pytest

COLLECTION = "(imports and collection)"
# Rows of the table, and the least that is worth one.
ROWS = 25
LEAST = 5.0


def processor_seconds() -> float:
    """user's and system's, own and of all children that were waited for."""
    return sum(os.times()[:4])


class ProcessorTime:
    """adds up a file's seconds. Under xdist reports carry them from the workers to the process
    that writes the table.
    """

    def __init__(self) -> None:
        self.so_far = 0.0
        self.files: Counter[str] = Counter()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if not self.so_far:
            self.so_far = self.collected
            report.user_properties.append((COLLECTION, self.collected))
        before, self.so_far = self.so_far, processor_seconds()
        report.user_properties.append((report.nodeid.split("::")[0], self.so_far - before))
        return report

    def pytest_collection_finish(self) -> None:
        self.collected = processor_seconds()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, seconds in report.user_properties:
            self.files[name] += seconds

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section(f"processor seconds: {self.files.total():.0f} in all")
        for name, seconds in self.files.most_common(ROWS):
            if seconds >= LEAST:
                terminalreporter.write_line(f"{seconds:8.1f} {name}")
