"""Who helps whom, and what shall we supervise? Losses -> tournament -> AHP -> program -> taxonomy
-> evidence. numpy, scipy, cvxopt only.
"""

from models.taxonomy.affinities import Affinities
from models.taxonomy.amounts import by_amount, efficiency
from models.taxonomy.answers import solve, solve_all
from models.taxonomy.beside_published import beside_published
from models.taxonomy.costs import free_tasks, outside
from models.taxonomy.crossfit import halves
from models.taxonomy.curves import curves
from models.taxonomy.evidence import evaluate
from models.taxonomy.expenses import Expenses
from models.taxonomy.infeasibility import Infeasible
from models.taxonomy.losses import LossStore, TransferLosses
from models.taxonomy.measurement import measure
from models.taxonomy.proxies import scores as proxy_scores
from models.taxonomy.resamples import Resamples
from models.taxonomy.resampling import bootstrap
from models.taxonomy.source_ranks import source_ranks
from models.taxonomy.spread import with_spread
from models.taxonomy.taxonomy import Edge, Taxonomy
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
    "with_spread",
]
