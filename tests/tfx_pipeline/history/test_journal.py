"""Lines are whole or passed over, and every one is kept."""

from tfx_pipeline.history.journal import FAILED, HISTORY, PUSHED, Entry, append, next_number, read


def entry(number: int, outcome: str = PUSHED) -> Entry:
    return Entry(
        number=number,
        began=1.5,
        seconds=2.0,
        outcome=outcome,
        networks=("normal", "reshading"),
        verdicts=({"gate": "CheckData", "passed": True},),
    )


def test_what_was_written_is_read(tmp_path):
    assert read(tmp_path) == [] and next_number(tmp_path) == 1
    append(tmp_path, entry(1))
    append(tmp_path, entry(2, FAILED))
    assert read(tmp_path) == [entry(1), entry(2, FAILED)]
    assert next_number(tmp_path) == 3


def test_a_torn_last_line_is_passed_over_and_the_next_one_is_whole(tmp_path):
    append(tmp_path, entry(1))
    append(tmp_path, entry(2))
    path = tmp_path / HISTORY
    for cut in range(1, 40, 7):
        whole = path.read_bytes()
        path.write_bytes(whole[:-cut] if cut > 1 else whole[:-20])
        assert entry(1) in read(tmp_path)
        append(tmp_path, entry(9))
        assert read(tmp_path)[-1] == entry(9)
        path.write_bytes(whole)


def test_lines_that_are_no_entry_and_fields_of_the_future_are_passed_over(tmp_path):
    append(tmp_path, entry(1))
    path = tmp_path / HISTORY
    text = path.read_text()
    path.write_text("[]\n\xff\n{}\n" + text.replace('"began"', '"mood": "good", "began"'))
    assert read(tmp_path) == [entry(1)]
