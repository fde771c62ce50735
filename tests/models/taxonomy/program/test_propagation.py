"""Contradictions that bounds alone find, against trying every vector."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from affinity_tables import gappy_table, regime_table, valued_request
from scipy.sparse import csr_matrix

from models.taxonomy.program.policies import Policies
from models.taxonomy.program.program import make_program
from models.taxonomy.program.propagation import contradictory
from models.taxonomy.program.request import Request


@pytest.mark.parametrize("seed", range(8))
def test_a_program_that_has_a_policy_is_never_called_contradictory(seed):
    program = make_program(gappy_table(seed), valued_request(seed))
    count = len(program.nodes)
    sets = itertools.product((False, True), repeat=count)
    if any(Policies(program).best(np.array(nodes)) is not None for nodes in sets):
        assert not contradictory(program)


def with_row(program, row, limit):
    a = csr_matrix(np.vstack([program.a.toarray(), row]))
    return replace(program, a=a, b=np.append(program.b, limit))


def test_rows_that_no_variable_can_meet_within_the_others_contradict():
    program = make_program(regime_table(0), Request(1, 2))
    nodes = np.arange(len(program.reward)) < len(program.nodes)
    # at least two tasks, where the budget pays for one: seen only by trying
    assert not contradictory(with_row(program, -1.0 * nodes, -1.0))
    # more tasks than there are; and one task, all of which are too dear
    assert contradictory(with_row(program, -1.0 * nodes, -len(program.nodes) - 1.0))
    poor = make_program(regime_table(0), Request(0.5, 2))
    assert contradictory(poor)


def test_what_follows_from_what_follows_is_found():
    program = make_program(regime_table(0), Request(1, 2, forced=frozenset({"t0"})))
    assert not contradictory(program)
    # t0 is forced and takes the budget: no other task is left for this row
    others = np.array([float(name != "t0") for name in program.nodes])
    row = np.append(-others, np.zeros(len(program.edges)))
    assert contradictory(with_row(program, row, -1.0))
