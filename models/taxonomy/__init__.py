"""Who helps whom, and what shall we supervise? Losses -> tournament -> AHP -> program -> taxonomy -> evidence. numpy, scipy, cvxopt only."""

from models.taxonomy.affinities import Affinities
from models.taxonomy.evidence import evaluate
from models.taxonomy.losses import LossStore, TransferLosses
from models.taxonomy.measuring import measure
from models.taxonomy.solving import Infeasible, solve, solve_all
from models.taxonomy.taxonomy import Edge, Taxonomy
from models.taxonomy.transfer import Transfer

__all__ = ["Affinities", "Edge", "Infeasible", "LossStore", "Taxonomy", "Transfer", "TransferLosses", "evaluate", "measure", "solve", "solve_all"]
