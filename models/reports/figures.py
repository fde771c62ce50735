"""Figures as SVG text: matplotlib, no window, deterministic ids."""

from __future__ import annotations

import base64
import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

from models.tasks import TASKS  # noqa: E402

INK, ACCENT, QUIET = "#22313f", "#0b7285", "#adb5bd"
plt.rcParams.update(
    {
        "svg.hashsalt": "taxonomy",
        "font.size": 9,
        "axes.edgecolor": QUIET,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "svg.fonttype": "none",
        "font.family": "sans-serif",
    }
)


def svg(figure) -> str:
    """the figure as an inline <svg> element; it is closed."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def title(name: str) -> str:
    return TASKS[name].title if name in TASKS else name


def affinity_matrix(rows: list[dict]) -> str:
    """targets by sources, first order: each target's sources ranked from worst (light) to best
    (dark), so that no target's scale hides another's.
    """
    first = {
        (row["target"], row["sources"][0]): row["affinity"]
        for row in rows
        if row["control"] is None and len(row["sources"]) == 1
    }
    targets, sources = (
        sorted({t for t, _ in first}, key=order_of),
        sorted({s for _, s in first}, key=order_of),
    )
    values = np.array([[first.get((t, s), np.nan) for s in sources] for t in targets])
    ranks = np.full(values.shape, np.nan)
    for i, row in enumerate(values):
        seen = np.isfinite(row)
        ranks[i, seen] = np.argsort(np.argsort(row[seen])) / max(1, seen.sum() - 1)
    figure, axes = plt.subplots(figsize=(0.32 * len(sources) + 2.2, 0.3 * len(targets) + 2))
    image = axes.imshow(ranks, cmap="YlGnBu", aspect="auto", vmin=0, vmax=1)
    axes.set_xticks(range(len(sources)), [title(s) for s in sources], rotation=60, ha="right")
    axes.set_yticks(range(len(targets)), [title(t) for t in targets])
    for i, target in enumerate(targets):
        if target in sources:
            axes.plot(sources.index(target), i, "o", ms=3, color="white", mec=INK, mew=0.5)
    axes.set_xlabel("source: whose frozen representation is read")
    axes.set_ylabel("target")
    bar = figure.colorbar(image, shrink=0.5, ticks=[0, 1])
    bar.ax.set_yticklabels(["worst source", "best source"])
    return svg(figure)


def order_of(name: str) -> int:
    return list(TASKS).index(name) if name in TASKS else len(TASKS)


def budget_curves(curves: list[dict], measure: str, default_budget: float) -> str:
    """gain or quality over the budget, one line an order, with the band of random policies."""
    figure, axes = plt.subplots(figsize=(5.2, 3.2))
    orders = sorted({row["order"] for row in curves})
    for order, colour in zip(orders, ("#0b7285", "#e8590c", "#862e9c", "#2b8a3e")):
        rows = sorted(
            (row for row in curves if row["order"] == order and row[measure] is not None),
            key=lambda row: row["budget"],
        )
        axes.plot(
            [row["budget"] for row in rows],
            [row[measure] for row in rows],
            "-o",
            ms=3,
            color=colour,
            label=f"taxonomy, order {order}",
        )
        banded = [row for row in rows if row.get(f"random_{measure}")]
        if order == orders[-1] and banded:
            axes.fill_between(
                [row["budget"] for row in banded],
                [row[f"random_{measure}"]["low"] for row in banded],
                [row[f"random_{measure}"]["high"] for row in banded],
                color=QUIET,
                alpha=0.4,
                lw=0,
                label="random policies, 90 %",
            )
    axes.axvline(default_budget, color=QUIET, lw=1, ls=":")
    if measure == "quality":
        axes.axhline(0.5, color=QUIET, lw=1, ls="--")
        axes.text(axes.get_xlim()[1], 0.5, " full\n supervision", fontsize=7, va="center")
    axes.set_xlabel("budget: tasks whose labels are bought")
    axes.set_ylabel(
        {
            "gain": "gain: win rate against scratch",
            "quality": "quality: win rate against\nfull supervision",
        }[measure]
    )
    axes.legend(frameon=False, fontsize=7)
    return svg(figure)


def policy_graph(answer: dict) -> str:
    """supervised tasks on the left, how every target is reached on the right."""
    left = sorted(answer["supervised"], key=order_of)
    reached = sorted(
        (edge for edge in answer["edges"] if edge["sources"]),
        key=lambda edge: (
            np.mean([left.index(s) for s in edge["sources"]]),
            order_of(edge["target"]),
        ),
    )
    height = max(len(left), len(reached), 2)
    figure, axes = plt.subplots(figsize=(7.2, 0.3 * height + 0.6))
    place = {name: (0.0, (i + 0.5) * height / len(left)) for i, name in enumerate(left)}
    colours = plt.get_cmap("tab20")(np.arange(len(left)) % 20)
    for i, name in enumerate(left):
        axes.text(
            -0.03,
            place[name][1],
            title(name),
            ha="right",
            va="center",
            weight="bold",
            color=colours[i] * 0.75 + np.array([0, 0, 0, 0.25]),
        )
    for i, edge in enumerate(reached):
        y = (i + 0.5) * height / max(1, len(reached))
        axes.text(1.03, y, title(edge["target"]), ha="left", va="center")
        for source in edge["sources"]:
            x = np.linspace(0, 1, 40)
            smooth = x * x * (3 - 2 * x)
            axes.plot(
                x,
                place[source][1] + (y - place[source][1]) * smooth,
                color=colours[left.index(source)],
                lw=1.6,
                alpha=0.8,
            )
    axes.text(0, -0.4, "labels are bought", ha="right", fontsize=8, color=INK)
    axes.text(1, -0.4, "reached by transfer", ha="left", fontsize=8, color=INK)
    axes.set_xlim(-0.75, 1.75)
    axes.set_ylim(height + 0.2, -0.9)
    axes.axis("off")
    return svg(figure)


def dendrogram(tree: dict) -> str:
    """the similarity tree."""
    from scipy.cluster.hierarchy import dendrogram as draw

    figure, axes = plt.subplots(figsize=(6.5, 0.24 * len(tree["names"]) + 0.6))
    draw(
        np.array(tree["linkage"]),
        labels=[title(name) for name in tree["names"]],
        orientation="left",
        ax=axes,
        leaf_font_size=8,
    )
    axes.set_xlabel("distance")
    axes.spines["left"].set_visible(False)
    return svg(figure)


def learning_curves(curves: dict[str, list]) -> str:
    """every network's training loss, relative to its first point."""
    columns = 7
    rows = -(-len(curves) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(11, 1.25 * rows), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, (name, values) in zip(grid.flat, curves.items()):
        axes.axis("on")
        axes.plot(values, color=ACCENT, lw=1)
        axes.set_title(title(name), fontsize=7)
        axes.tick_params(labelsize=6)
        axes.set_xticks([])
    figure.tight_layout()
    return svg(figure)


def picture(pixels: np.ndarray, height: int = 110) -> str:
    """uint8 [S, S, 3] as a PNG data URI, enlarged without smoothing."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((height, height), Image.NEAREST).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
