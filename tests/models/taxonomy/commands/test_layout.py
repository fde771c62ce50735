"""Text for 80 columns: nothing wider, names whole."""

from models.taxonomy.commands.layout import WIDTH, folded, shown, table


def test_long_text_is_folded_and_names_stay_whole():
    names = [f"a_rather_long_task_name_{i}" for i in range(12)]
    text = folded(", ".join(names), "  ")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.replace("\n", " ").split() == [f"{name}," for name in names[:-1]] + names[-1:]


def test_columns_stand_under_their_titles_and_the_last_is_folded():
    rows = [["a", "1.5", ", ".join(["source"] * 30)], ["long name", "22.25", "x"]]
    lines = table(["name", "number", "sources"], rows).splitlines()
    assert max(map(len, lines)) <= WIDTH
    end = lines[0].index("number") + len("number")
    assert lines[1][:end].endswith("1.5") and lines[-1][:end].endswith("22.25")
    assert len(lines) > 3 and all(line == line.rstrip() for line in lines)


def test_what_was_not_measured_is_a_dash():
    assert (shown(None), shown(0.12345), shown(0.5, 1)) == ("-", "0.123", "0.5")
