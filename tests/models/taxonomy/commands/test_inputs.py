"""Options as a request: presets of costs, and when training from scratch is on offer."""

from dataclasses import replace

import pytest
from affinity_tables import graded_table, regime_table, with_scratch

from models.taxonomy import Affinities
from models.taxonomy.__main__ import parser
from models.taxonomy.commands.inputs import numbers, request_of, scratch_of, table_of


def measured(table: Affinities) -> Affinities:
    rows = tuple(replace(row, mean_loss=0.1) for row in table.rows)
    return Affinities(rows, table.diagnostics)


def test_training_from_scratch_is_on_for_own_tables_and_off_for_others():
    imported = with_scratch(regime_table(0), 0)
    assert scratch_of("auto", measured(imported)) and not scratch_of("auto", imported)
    assert scratch_of("on", imported) and not scratch_of("off", measured(imported))
    assert not scratch_of("auto", measured(regime_table(0)))
    with pytest.raises(ValueError, match="no affinity of training from scratch"):
        scratch_of("on", regime_table(0))


def test_every_option_of_a_program_reaches_the_request():
    text = (
        "solve --affinities FILE --budget 3 --order 1 --variant paper --cost t0=2 --value t1=3 "
        "--transfer-cost t2=0.1 --force t3 --exclude t4 --source-only t5 --time-limit 7 "
        "--second latency=9 --second-cost t0=4"
    )
    request = request_of(parser().parse_args(text.split()), graded_table(0))
    assert (request.budget, request.order, request.variant) == (3.0, 1, "paper")
    assert (request.cost_of("t0"), request.value, request.time_limit) == (2.0, {"t1": 3.0}, 7.0)
    assert (request.forced, request.forbidden, request.source_only) == ({"t3"}, {"t4"}, {"t5"})
    assert request.second.limit == 9 and request.second.of_node("t0") == 4


def test_derived_costs_free_what_the_picture_gives():
    text = "solve --affinities FILE --budget 3 --costs derived"
    table = Affinities(
        tuple(
            replace(row, transfer=replace(row.transfer, target="edge_texture"))
            for row in graded_table(0).rows
            if row.transfer.target == "t0"
        ),
        {},
    )
    assert request_of(parser().parse_args(text.split()), table).free == {"edge_texture"}


def test_pairs_are_read_and_a_wrong_one_is_named():
    assert numbers(["a=1", "b=2.5"]) == {"a": 1.0, "b": 2.5}
    with pytest.raises(ValueError, match="got 'a'"):
        numbers(["a"])


def test_win_rates_taken_for_affinities_are_doubted_on_the_terminal(tmp_path, capsys):
    rates = tmp_path / "wins_vs_task.json"
    rates.write_text('{"a__t": 0.9, "b__t": 0.8}')
    shares = tmp_path / "affinities.json"
    shares.write_text('{"a__t": 0.6, "b__t": 0.4}')
    for path, doubted in ((rates, True), (shares, False)):
        text = f"solve --affinities {path} --budget 3"
        table_of(parser().parse_args(text.split()))
        output = " ".join(capsys.readouterr().err.split())
        assert ("They look like win rates or scores" in output) is doubted
