"""What a gate says: a verdict in words, with what it looked at, as `verdict.json` in its artifact.

A gate does not raise: TFX removes the outputs of a node that failed, and its reasons with them. It
writes its verdict; the node that the gate guards reads it and ends (`demand`).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

from models.gates.check import Check
from models.provenance.atomic import write_json
from models.provenance.numbered import newest_with

__all__ = [
    "GATES",
    "LABEL_FILES",
    "Check",
    "Verdict",
    "demand",
    "verdict_of",
    "latest_verdicts",
    "read_verdict",
    "save_verdict",
]

VERDICT = "verdict.json"
# Reasons that an error lists at most; all stand in the file.
NAMED = 3
# The check that counts refused files of labels; its figures are label -> share of their views.
LABEL_FILES = "few files of a label are refused"
# Node of every gate, in the order of the pipeline; its output is called `verdict`.
GATES = ("CheckData", "CheckQuality")


@dataclass(frozen=True)
class Verdict:
    """What a gate says. reasons: why not, in words; empty if it passed. forced: why one goes on all
    the same; None if nobody said so. Raises ValueError for reasons that contradict the verdict.
    """

    gate: str
    passed: bool
    reasons: Tuple[str, ...]
    forced: Optional[str] = None
    checks: Tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        # a verdict that contradicts itself must not reach a file
        if self.passed == bool(self.reasons):
            raise ValueError(
                f"a verdict has reasons exactly if it refuses; {self.gate}: passed {self.passed}, "
                f"reasons {list(self.reasons)}"
            )

    @property
    def goes_on(self) -> bool:
        """Whether what the gate guards may happen."""
        return self.passed or self.forced is not None


def verdict_of(gate: str, checks: Tuple[Check, ...], forced: Optional[str] = None) -> Verdict:
    """Verdict that follows from checks: every check must pass. forced: "" counts as None."""
    reasons = tuple(f"{check.name}: {check.said}" for check in checks if not check.passed)
    # "" is what the command line gives where nobody forces
    return Verdict(gate, not reasons, reasons, forced or None, checks)


def save_verdict(folder: Union[str, Path], verdict: Verdict) -> None:
    """Writes `verdict.json` into `folder`, whole or not at all."""
    write_json(Path(folder) / VERDICT, asdict(verdict), indent=1)


def read_verdict(folder: Union[str, Path]) -> Verdict:
    """Verdict in `folder`. Raises FileNotFoundError where there is none, ValueError for a file that
    holds none.
    """
    path = Path(folder) / VERDICT
    try:
        facts: Dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Verdict(
            facts["gate"],
            facts["passed"],
            tuple(facts["reasons"]),
            facts["forced"],
            tuple(Check(**check) for check in facts["checks"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is no verdict ({error!r}); remove the folder and run again"
        ) from error


def demand(folder: Union[str, Path], what: str) -> None:
    """Raises ValueError with the gate's reasons unless its verdict in `folder` goes on. what: words
    that open the error, such as "nothing was trained".
    """
    verdict = read_verdict(folder)
    if not verdict.goes_on:
        some, rest = verdict.reasons[:NAMED], len(verdict.reasons) - NAMED
        text = "; ".join(some) + (f"; and {rest} more reasons" if rest > 0 else "")
        # three reasons are a line; all of them are in the file that is named
        raise ValueError(
            f"{what}: the gate {verdict.gate} refused: {text}. All that it looked at: "
            f"{Path(folder) / VERDICT}. Mend it and run again, or go on all the same with --force "
            '"REASON"'
        )


def latest_verdicts(run: Path) -> List[Verdict]:
    """Newest verdict of each gate of a run's folder, in the order of the pipeline, up to the first
    that ended the run: those of later gates are of an earlier run.
    """
    verdicts = []
    for gate in GATES:
        folder = newest_with(run / "artifacts" / gate / "verdict", VERDICT)
        if folder is None:
            # later gates' verdicts lie there from an earlier run, maybe: they are of other data
            break
        verdicts.append(read_verdict(folder))
        if not verdicts[-1].goes_on:
            break
    return verdicts
