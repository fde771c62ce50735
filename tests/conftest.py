"""What holds for every test."""

from collections.abc import Iterator

import pytest

# Files that take longest: first, so that no process is left with one of them at the end.
LONGEST = ("tests/tfx_pipeline/test_main_job.py", "tests/models/networks/test_growth.py")
# Files that import it share what it trains, once a process.
SHARED = "transfer_bank"


@pytest.hookimpl(wrapper=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """the longest files first, the order inside a file stays; a process takes a group at a time:
    a file, or the files that share what is dear to make.
    """
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    for item in items:
        shared = SHARED in vars(item.module)
        group = SHARED if shared else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))
    yield
