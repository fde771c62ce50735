"""What the evidence books for labels: as many images as each amount of data really holds."""

from made_run import NAMES, table

from components.evaluate_taxonomy import halves_of, images_of


def test_each_regime_is_booked_at_its_own_number_of_images():
    assert images_of(["1000", "16000"], 500, 12_000) == {"1000": 1000, "16000": 12_000}


def test_a_single_regime_is_booked_at_what_was_asked_for_or_what_there_is():
    assert images_of([""], 500, 12_000) == {"": 500}
    assert images_of([""], 16_000, 90) == {"": 90}


def test_halves_are_read_where_both_were_measured(tmp_path):
    measured = table(NAMES)
    assert halves_of(str(tmp_path)) is None
    measured.save(tmp_path / "half-0.json")
    assert halves_of(str(tmp_path)) is None
    measured.save(tmp_path / "half-1.json")
    assert [len(half.rows) for half in halves_of(str(tmp_path))] == [len(measured.rows)] * 2
