"""Runs one test file under Bazel: `bazel test //:tests_test_floor_plan`."""

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(["-q", *sys.argv[1:]]))
