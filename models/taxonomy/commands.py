"""What the subcommands of `python -m models.taxonomy` do: read, ask, print a table (or JSON) to
stdout, warnings to stderr; each returns the exit code.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from models.taxonomy.affinities import Affinities
from models.taxonomy.request import Request, Resource


def table_of(options) -> Affinities:
    """one file, or several as REGIME=FILE on one scale; at the risk that was asked for."""
    from models.taxonomy.measuring import several
    from models.taxonomy.published import read_any

    given = options.affinities
    if len(given) == 1 and (Path(given[0]).exists() or "=" not in given[0]):
        table = read_any(given[0])
    else:
        named = [text.partition("=") for text in given]
        if not all(equals for _, equals, _ in named) or len(
            {regime for regime, *_ in named}
        ) != len(named):
            raise ValueError(
                "several affinity files are given as REGIME=FILE with different regimes, "
                f"such as 1k=a.json 16k=b.json; got {' '.join(given)}"
            )
        table = several({regime: read_any(path) for regime, _, path in named})
    return table.at(getattr(options, "risk", "point"))


def request_of(options, budget: float | None = None) -> Request:
    """the request that the options spell."""
    names = lambda text: frozenset(name for name in text.split(",") if name)
    second = None
    if options.second:
        [(name, limit)] = numbers([options.second]).items()
        second = Resource(name, limit, node=numbers(options.second_cost))
    elif options.second_cost:
        raise ValueError("--second-cost needs the budget it counts against: --second NAME=LIMIT")
    return Request(
        budget if budget is not None else options.budget,
        options.order,
        options.variant,
        value=numbers(options.value),
        cost=numbers(options.cost),
        transfer_cost=numbers(options.transfer_cost),
        regime_cost=numbers(options.regime_cost),
        regimes=names(options.regimes),
        forced=names(options.force),
        forbidden=names(options.exclude),
        source_only=names(options.source_only),
        target_only=names(options.target_only),
        second=second,
        time_limit=options.time_limit,
    )


def numbers(pairs: list[str]) -> dict[str, float]:
    """["a=2", ...] -> {"a": 2.0}; ValueError says which pair is wrong."""
    made = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            made[name] = float(value)
        except ValueError:
            raise ValueError(f"expected NAME=NUMBER, got {pair!r}") from None
    return made


def shown(value: float | None) -> str:
    return "  -  " if value is None else f"{value:.3f}"


def header(found) -> list[str]:
    """the certificate, the sources and the scores of a taxonomy, as lines."""
    proof = (
        f"gap {found.gap:.1e}"
        if found.status == "optimal"
        else f"not proven: no policy is better than {found.bound:.6f} (gap {found.gap:.6f})"
    )
    lines = [
        f"{found.status}: objective {found.objective:.6f}, {proof}, labels cost "
        f"{found.spent:g} of {found.budget:g}",
        f"supervise: {', '.join(found.supervised)}",
    ]
    if found.quality is not None:
        lines.append(
            f"gain {found.gain:.3f} over training from scratch, quality {found.quality:.3f} "
            "against full supervision (0.5: as good)"
        )
    return lines


def solve(options) -> int:
    from models.taxonomy.solving import answer, best_policies

    table, request = table_of(options), request_of(options)
    found = (
        [answer(table, request)]
        if options.best == 1
        else list(best_policies(table, request, options.best))
    )
    if options.json:
        print(
            json.dumps(
                found[0].to_json() if options.best == 1 else [policy.to_json() for policy in found]
            )
        )
        return 0
    print("\n".join(header(found[0])))
    for edge in sorted(
        found[0].edges, key=lambda edge: (edge.transfer.control is None, edge.transfer.target)
    ):
        print(
            f"  {edge.transfer.target:30s} <- {means(edge):40s} "
            f"{reason(table, request, found[0], edge) if options.explain else ''}".rstrip()
        )
    for place, policy in enumerate(found[1:], 2):
        print(
            f"{place:3d}. objective {policy.objective:.6f} "
            f"({policy.objective - found[0].objective:+.6f}): {', '.join(policy.supervised)}"
        )
    return 0


def means(edge) -> str:
    """how a target is reached, in words."""
    regime = f" ({edge.transfer.regime})" if edge.transfer.regime else ""
    return (" + ".join(edge.transfer.sources) or "its own labels") + regime


def reason(table: Affinities, request: Request, found, edge) -> str:
    """affinity of an edge and of the runner-up that the supervised sources allow."""
    from models.taxonomy.explaining import runner_up

    best = runner_up(table, request, found, edge)
    if best is None:
        return f"affinity {edge.affinity:.4f}; no other way"
    return (
        f"affinity {edge.affinity:.4f}; next {' + '.join(best.transfer.sources)} "
        f"{best.affinity:.4f}"
    )


def explain(options) -> int:
    from models.taxonomy.explaining import explanation

    table, request = table_of(options), request_of(options)
    found, facts = explanation(table, request)
    if options.json:
        print(json.dumps({**found.to_json(), **facts}))
        return 0
    print("\n".join(header(found)))
    print("\nwhy each edge (affinity; the next best that the same sources allow)")
    for edge in sorted(found.edges, key=lambda edge: edge.transfer.target):
        print(
            f"  {edge.transfer.target:30s} <- {means(edge):40s} "
            f"{reason(table, request, found, edge)}"
        )
    print("\nwhat each source is worth (objective lost if its labels cannot be had)")
    for row in facts["sources"]:
        lost = (
            "every target would no longer be reached"
            if row["lost"] is None
            else f"{row['lost']:8.4f}  instead: {', '.join(row['instead'])}"
        )
        print(f"  {row['name']:30s} {lost}")
    print("\nnext best policies")
    for row in facts["next"]:
        print(f"  {row['objective'] - found.objective:+.6f}  {', '.join(row['supervised'])}")
    print(f"\n{facts['tie']}")
    return 0


def sweep(options) -> int:
    from models.taxonomy.expenses import Expenses, headline
    from models.taxonomy.solving import solve_all

    table = table_of(options)
    fields = {
        name: value
        for name, value in vars(request_of(options, 1.0)).items()
        if name not in ("budget", "order", "variant")
    }
    found = solve_all(
        table,
        range(1, len(table.sources) + 1),
        range(1, options.order + 1),
        variant=options.variant,
        **fields,
    )
    saved = {}
    if (options.full_images is None) != (options.transfer_images is None):
        raise ValueError("--full-images and --transfer-images go together")
    if options.full_images:
        little = dict.fromkeys(table.regimes, options.transfer_images)
        saved = {
            (row["budget"], row["order"]): row
            for row in headline(table, found, Expenses(options.full_images, little))
        }
    if options.json:
        print(
            json.dumps(
                [
                    {**policy.to_json(), "headline": saved.get((policy.budget, policy.order))}
                    for policy in found
                ]
            )
        )
        return 0
    print(
        "order  budget  status    objective  gain   quality"
        + ("   images   saved" if saved else "")
        + "  supervised"
    )
    for policy in found:
        row = saved.get((policy.budget, policy.order))
        images = f"  {row['images']:8.0f}  {100 * row['saved']:4.0f} %" if row else ""
        scores = f"{policy.objective:9.6f}  {shown(policy.gain)}  {shown(policy.quality)}"
        print(
            f"{policy.order:5d}  {policy.budget:6g}  {policy.status:8s}  {scores}  {images}  "
            f"{', '.join(policy.supervised)}"
        )
    if saved:
        print(
            "images: labelled ones in total. saved: against learning every target for itself "
            "(some fully, the others from scratch) to the same mean quality"
        )
    return 0


def significance(options) -> int:
    from models.taxonomy.baselines import baselines
    from models.taxonomy.chance import significance as test
    from models.taxonomy.solving import answer

    table, request = table_of(options), request_of(options)
    chosen = answer(table, request)
    found = {**test(table, request, chosen), "baselines": baselines(table, request, chosen)}
    if options.json:
        print(json.dumps(found))
        return 0
    for title, result in (
        ("random sources, random transfers", found),
        ("random sources, their best transfers", found["best_edges"]),
    ):
        spread = (
            f"random {result['random']['mean']:.4f} (5 to 95 %: {result['random']['low']:.4f} "
            f"to {result['random']['high']:.4f})"
            if result.get("random")
            else ""
        )
        print(
            f"{title}: {result['measure']} {result['observed']:.4f}, {spread}, "
            f"{result['policies']} policies\n  {result['verdict']}"
        )
    print("\nother ways to spend the budget        objective  gain   quality  supervised")
    for row in found["baselines"]:
        print(
            f"  {row['name']:34s}  {row['objective']:9.4f}  {shown(row['gain'])}  "
            f"{shown(row['quality'])}    {', '.join(row['supervised'])}"
        )
    return 0


def tree(options) -> int:
    from models.taxonomy.similarity import members, similarity_tree

    found = similarity_tree(table_of(options), options.method)
    if options.json or not found["linkage"]:
        print(json.dumps(found))
        return 0
    import numpy as np

    print("distance  support  tasks that form a cluster")
    for row, cluster, support in zip(
        found["linkage"], members(np.array(found["linkage"])), found["support"]
    ):
        print(
            f"{row[2]:8.2f}  {100 * support:5.0f} %  "
            f"{', '.join(found['names'][i] for i in sorted(cluster))}"
        )
    print(
        f"cophenetic correlation {found['cophenetic']:.3f}; support: share of bootstrap "
        "replicates over targets with the same cluster"
    )
    return 0


def compare(options) -> int:
    from models.tasks import TASKS
    from models.taxonomy.published import read_any
    from models.taxonomy.similarity import agreement

    rename = {entry.published: name for name, entry in TASKS.items()}
    table, other = table_of(options), read_any(options.other)
    found = next(
        (
            result
            for result in (
                agreement(table, other),
                agreement(table, other, rename),
                agreement(other, table, rename),
            )
            if result["targets"]
        ),
        None,
    )
    if found is None:
        raise ValueError("the tables share no target with four common sources")
    if options.json:
        print(json.dumps(found))
        return 0
    print("target                          Spearman  95 % interval   sources")
    for target, row in sorted(found["targets"].items(), key=lambda pair: -pair[1]["spearman"]):
        print(
            f"{target:30s}  {row['spearman']:8.2f}  {row['low']:5.2f} to {row['high']:5.2f}  "
            f"{row['sources']:7d}"
        )
    mean = found["mean"]
    title = f"mean over {mean['targets']} targets"
    print(
        f"{title:30s}  {mean['spearman']:8.2f}  {mean['low']:5.2f} to {mean['high']:5.2f}   "
        "first order, diagonal excluded"
    )
    return 0


def measure(options) -> int:
    from models.taxonomy.losses import LossStore
    from models.taxonomy.measuring import measure as measured
    from models.taxonomy.resampling import bootstrap, with_spread

    stores = [LossStore(path) for path in options.losses]
    table = measured(stores)
    if options.resamples:
        table = with_spread(
            table, bootstrap(stores, resamples=options.resamples, seed=options.seed)
        )
    table.save(options.out)
    if options.json:
        print(json.dumps(table.diagnostics))
        return 0
    print(
        "target                          transfers  images  consistency  clipped  gap   "
        "reducible  reliability"
    )
    for target, facts in table.diagnostics.items():
        numbers_ = (
            f"{facts['transfers']:9d}  {facts['images']:6d}  {facts['consistency']:11.3f}  "
            f"{100 * facts['clipped']:5.0f} %  {facts['gap']:.2f}"
        )
        print(
            f"{target:30s}  {numbers_}  {'yes' if facts['reducible'] else 'no':9s}  "
            f"{shown(facts.get('reliability'))}"
        )
        if facts.get("warning"):
            print(f"warning: {target}: {facts['warning']}", file=sys.stderr)
    print(f"{len(table.rows)} rows -> {options.out}")
    return 0


def replay(options) -> int:
    from models.taxonomy.published import read_any
    from models.taxonomy.screening import from_cheaper, predictor_agreement, read_predictions
    from models.taxonomy.screening import replay as replayed

    table, request = table_of(options), request_of(options)
    predictions = read_predictions(options.cheaper) or {
        "less data": from_cheaper(table, read_any(options.cheaper))
    }
    rows = []
    for name, scores in predictions.items():
        agreed = [
            value
            for targets in predictor_agreement(table, scores).values()
            for value in targets.values()
        ]
        found = replayed(table, scores, request, share=options.share)
        rows.append(
            {"predictor": name, "spearman": sum(agreed) / len(agreed) if agreed else None, **found}
        )
    if options.json:
        print(json.dumps(rows))
        return 0
    print(
        f"of {rows[0]['of']} transfers {rows[0]['measured']} measured; quality of the policy "
        f"at budget {request.budget:g}, order {request.order}"
    )
    print("predictor    Spearman  all measured  promising  lost     random choice (mean, worst)")
    for row in rows:
        luck = (
            f"{row['random']['mean']:.4f}  {row['random']['worst']:.4f}"
            if row["random"]
            else "no policy"
        )
        part = (
            "no policy"
            if row["screened"] is None
            else f"{row['screened']:9.4f}  {row['full'] - row['screened']:7.4f}"
        )
        print(
            f"{row['predictor']:11s}  {shown(row['spearman']):8s}  {row['full']:12.4f}  "
            f"{part}  {luck}  ({row['failed']} of {20} reach no policy)"
        )
    return 0
