"""The best weights of each member of a stack so far."""

from __future__ import annotations

import numpy as np

from models.networks.transfers.gradient.member_stack import MemberStack
from models.tasks.arrays import Floats, Integers


class BestWeights:
    """Keeps them, and says when all members have stopped improving. A member that has stopped stays
    as it was at its best, whatever the others do afterwards: that is what keeps it independent of
    them.

    epoch: [member] of its least validation loss, from 1; 0 before the first.
    """

    def __init__(self, stack: MemberStack, members: int, patience: int) -> None:
        self.stack = stack
        self.patience = patience
        self.loss: Floats = np.full(members, np.inf)
        self.epoch: Integers = np.zeros(members, int)
        self.now = 0
        self.values = [weight.numpy() for weight in stack.weights_of_members()]

    def update(self, losses: Floats) -> bool:
        """Takes the weights of members whose loss [member] is the least yet; returns True if every
        member has converged.
        """
        self.now += 1
        running = self.now - self.epoch <= self.patience
        better = running & (losses < self.loss)
        self.loss[better] = losses[better]
        self.epoch[better] = self.now
        for value, weight in zip(self.values, self.stack.weights_of_members()):
            value[better] = weight.numpy()[better]
        return bool((self.now - self.epoch >= self.patience).all())

    def restore(self) -> None:
        """Gives every member its best weights."""
        for value, weight in zip(self.values, self.stack.weights_of_members()):
            weight.assign(value)
