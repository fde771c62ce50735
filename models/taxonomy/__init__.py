"""Decides which tasks to supervise and which transfers reach the others. The steps are: losses,
tournament, AHP, program, taxonomy, and the evidence for it. Needs numpy, scipy and cvxopt only.
"""

from models.taxonomy.affinities import Affinities
from models.taxonomy.evidence.amounts import by_amount, efficiency
from models.taxonomy.evidence.beside_published import beside_published
from models.taxonomy.evidence.crossfit import halves
from models.taxonomy.evidence.curves import curves
from models.taxonomy.evidence.evidence import evaluate
from models.taxonomy.evidence.expenses import Expenses
from models.taxonomy.evidence.proxies import scores as proxy_scores
from models.taxonomy.evidence.source_ranks import source_ranks
from models.taxonomy.evidence.spread import with_spread
from models.taxonomy.evidence.supervised_curves import supervised_curves
from models.taxonomy.program.answers import solve, solve_all
from models.taxonomy.program.costs import free_tasks, outside
from models.taxonomy.program.infeasibility import Infeasible
from models.taxonomy.program.taxonomy import Edge, Taxonomy
from models.taxonomy.tournament.losses import LossStore, TransferLosses
from models.taxonomy.tournament.measurement import measure
from models.taxonomy.tournament.resamples import Resamples
from models.taxonomy.tournament.resampling import bootstrap
from models.taxonomy.transfer import Transfer

__all__ = [
    "Affinities",
    "Edge",
    "Expenses",
    "Infeasible",
    "LossStore",
    "Resamples",
    "Taxonomy",
    "Transfer",
    "TransferLosses",
    "beside_published",
    "bootstrap",
    "by_amount",
    "curves",
    "efficiency",
    "evaluate",
    "free_tasks",
    "halves",
    "measure",
    "outside",
    "proxy_scores",
    "solve",
    "solve_all",
    "source_ranks",
    "supervised_curves",
    "with_spread",
]
