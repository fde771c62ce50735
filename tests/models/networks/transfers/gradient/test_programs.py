"""Programs are kept from target to target in bounded memory, and one that goes leaves nothing."""

import gc
import weakref

import numpy as np
import pytest

from models.networks.transfers.gradient import programs as module
from models.networks.transfers.gradient.member_stack import MemberStack
from models.networks.transfers.gradient.programs import StackPrograms
from models.networks.transfers.gradient.schedule import Schedule
from models.tasks import TASKS
from tfx_pipeline.config import smoke

SIDE = 16
SHAPE = (2, 2, 2, 8)


def stack_of(programs: StackPrograms, name: str) -> MemberStack:
    return programs.stack(name, SHAPE, np.array([[0], [1]]), [1, 2], Schedule())


def trained(stack: MemberStack, name: str) -> MemberStack:
    """after one step."""
    task = TASKS[name]
    target = np.zeros((4, *task.target_shape(SIDE)), "float32")
    mask = np.ones((4, SIDE, SIDE, 1) if task.output.dense else (4,), "float32")
    stack.train_on_batch((np.zeros((4, *SHAPE), "float32"), target, mask), np.zeros(4, "float32"))
    return stack


def test_the_first_step_is_traced_once(monkeypatch):
    """TensorFlow traces a first step that makes variables twice."""
    traces = []
    call = MemberStack.call

    def counted(self, inputs, training=False):
        traces.append(training)
        return call(self, inputs, training)

    monkeypatch.setattr(MemberStack, "call", counted)
    trained(stack_of(StackPrograms(smoke().network, SIDE), "normal"), "normal")
    assert traces.count(True) == 1


def test_a_program_that_was_trained_and_goes_takes_its_variables_along(monkeypatch):
    monkeypatch.setattr(module, "KEPT", 1)
    programs = StackPrograms(smoke().network, SIDE)
    stack = trained(stack_of(programs, "normal"), "normal")
    variables = [*stack.variables, *stack.optimizer.variables]
    values = [weakref.ref(variable.value) for variable in variables]
    del stack, variables
    assert len(values) > 10 and all(value() is not None for value in values)
    stack_of(programs, "class_object")
    gc.collect()
    assert len(programs.stacks) == 1 and not any(value() is not None for value in values)


@pytest.mark.parametrize("room, kept", [(0, 1), (2.5, 2), (100, 3)])
def test_programs_are_kept_as_far_as_their_weights_have_room(monkeypatch, room, kept):
    programs = StackPrograms(smoke().network, SIDE)
    names = ("normal", "principal_curvature", "depth_zbuffer")
    sizes = [stack_of(programs, name).size for name in names]
    monkeypatch.setattr(module, "BYTES", int(room * max(sizes)))
    programs = StackPrograms(smoke().network, SIDE)
    for name in names:
        stack_of(programs, name)
    assert len(programs.stacks) == kept and programs.compiled == 3
