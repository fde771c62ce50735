"""Tables as people write them: what is meant is read, what is wrong is said with its place."""

import json

import pytest

from models.taxonomy import Affinities, Transfer
from models.taxonomy.tournament.published import read_any

HEADER = "sources,target,affinity\n"


def written(tmp_path, text: str, name: str = "table.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_names_are_stripped_and_lines_of_nothing_left_out(tmp_path):
    text = "sources , target,affinity,control\n a | b ,t , 0.5,\n   \n,,,\n, t,0.25, supervised \n"
    table = read_any(written(tmp_path, text))
    assert set(table.of) == {Transfer(("a", "b"), "t"), Transfer((), "t", control="supervised")}
    content = {"rows": [{"sources": [" a"], "target": "t ", "affinity": 0.5, "regime": None}]}
    table = read_any(written(tmp_path, json.dumps(content), "table.json"))
    assert set(table.of) == {Transfer(("a",), "t")}
    table = read_any(written(tmp_path, '{"a __ t": 0.5}', "released.json"))
    assert set(table.of) == {Transfer(("a",), "t")}


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "is empty"),
        (HEADER, "has a header and no rows"),
        ("Sources,target,affinity\na,t,1\n", "lacks sources, it has Sources, target"),
        ("sources;target;affinity\na;t;0.3\n", "separate columns by commas"),
        ("sources,target,affinity,affinity\na,t,0.1,0.2\n", "two columns affinity; keep one"),
        (HEADER + "a,t,0.3\na,t\n", "line 3 has no affinity"),
        (HEADER + 'a,t,"0,3"\n', "line 2: affinity is a number, got '0,3'.*have a point"),
        (HEADER + "a,t,0,3\n", "line 2 has 4 cells, and there are 3 columns"),
        (HEADER + "a,,0.3\n", "line 2 has no target"),
        (HEADER + "a|a,t,0.3\n", "line 2: a source stands once"),
        (HEADER + "a,t,nan\n", "line 2: .*finite"),
        ("sources,target,affinity,control\n,t,0.3,self\n", "line 2: a control is one of"),
        (HEADER + "a|b,t,0.3\nb|a,t,0.2\n", "stands twice"),
        (",a,b\na,0.5,0.5\nb,0.5,0.5\n", "lacks sources.*if it is a matrix.*melt"),
        (HEADER + "a,t,0.3\na+b,t,0.4\n", r"line 3: .*'a\+b' is no target.*'b' is neither.*by \|"),
        (HEADER + "'a',t,0.3\n", "line 2: .*no target"),
        (HEADER + "a,t,0.3\nb,t,0.3\na b,t,0.4\n", "line 4: .*'a b' is several names"),
    ],
)
def test_what_is_wrong_in_a_csv_is_said_with_the_file_and_the_line(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=message) as caught:
        read_any(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "text, message",
    [
        ('{"a__t": null, "b__t": 0.5}', "a__t has no number"),
        ('{"a__t": true}', "a__t is a number, got True"),
        ('{"a__t": 0.1, "a__t": 0.2}', "'a__t' twice"),
        ('{"a__": 0.1}', "target is a name"),
        ('{"rows": null}', "no list of rows"),
        ('{"rows": [3]}', "row 1 is 3"),
        ('{"rows": [{"sources": ["a"], "target": null, "affinity": 0.5}]}', "row 1 has no target"),
        ('{"rows": [{"sources": ["a"], "target": 7, "affinity": 0.5}]}', "target is a name, got 7"),
        ('{"rows": [{"sources": 7, "target": "t", "affinity": 0.5}]}', "list of names, got 7"),
        ('{"rows": [{"sources": [7], "target": "t", "affinity": 0.5}]}', "list of names, got"),
        ('{"rows": [{"sources": ["a+b"], "target": "t", "affinity": 0.5}]}', "'a' is neither"),
        ('{"sources": {"0": "a"}, "target": {"0": "t"}}', "no list of rows.*orient='records'"),
        ('{"rows": [{"sources": ["a"], "target": "t", "affinity": true}]}', "a number, got True"),
        ('{"rows": [{"sources": ["a"], "target": "t"}]}', "row 1 has no affinity"),
        ('{"rows": [], "rows": []}', "'rows' twice"),
        ("[1]", "row 1 is 1"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a__t": 1%s}' % ("0" * 400), "a__t is larger than any number can be"),
    ],
)
def test_what_is_wrong_in_json_is_said_with_the_file_and_the_row(tmp_path, text, message):
    path = written(tmp_path, text, "table.json")
    with pytest.raises(ValueError, match=message) as caught:
        read_any(path)
    assert str(path) in str(caught.value)


def test_a_suffix_is_one_whatever_its_letters_and_another_is_told(tmp_path):
    text = HEADER + "a,t,0.5\n"
    table = read_any(written(tmp_path, text, "table.CSV"))
    assert read_any(written(tmp_path, '{"a__t": 0.5}', "released.JSON")).of == table.of
    table.save(tmp_path / "again.CSV")
    assert read_any(tmp_path / "again.CSV") == table
    for name in ("table.txt", "table.tsv"):
        with pytest.raises(ValueError, match="by their suffix, one of .csv, .json, .pkl"):
            read_any(written(tmp_path, text, name))


@pytest.mark.parametrize("name", ["table.csv", "released.json"])
def test_affinities_above_one_are_refused_where_they_were_not_measured_here(tmp_path, name):
    text = HEADER + "a,t,2\nb,t,60\n" if name == "table.csv" else '{"a__t": 2, "b__t": 60}'
    with pytest.raises(ValueError, match=r"affinity of a -> t is 2; .*percent by 100"):
        read_any(written(tmp_path, text, name))
    # a network from scratch that beats all others is placed above them
    own = "sources,target,affinity,control,mean_loss\na,t,0.5,,0.1\n,t,1.5,scratch,0.05\n"
    assert read_any(written(tmp_path, own, "own.csv")).knows_scratch


def test_a_part_of_an_interval_serves_the_risk_that_it_knows(tmp_path):
    path = written(tmp_path, "sources,target,affinity,affinity_low\na,t,0.3,0.1\n")
    table = Affinities.load(path)
    assert table.at("lower").rows[0].affinity == 0.1
    with pytest.raises(ValueError, match="no affinity_expected of a -> t"):
        table.at("expected")


PAIRS = [
    "a|b",
    "a+b",
    "a + b",
    '"a,b"',
    "a;b",
    "a & b",
    "a/b",
    "a__b",
    "\"['a', 'b']\"",
    "\"('a', 'b')\"",
    "['a' 'b']",
    '"[""a"", ""b""]"',
    '"[a, b]"',
]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_is_two_sources_however_its_names_are_joined(tmp_path, pair):
    text = "sources,target,affinity,control\n"
    text += f"a,t,0.2,\nb,t,0.1,\n{pair},t,0.3,\n[],t,0.4,supervised\n"
    table = read_any(written(tmp_path, text))
    assert set(table.of) == {
        Transfer(("a",), "t"),
        Transfer(("b",), "t"),
        Transfer(("a", "b"), "t"),
        Transfer((), "t", control="supervised"),
    }


@pytest.mark.parametrize("alone", ["['a']", "\"('a',)\"", '"[""a""]"', "a"])
def test_one_source_in_a_list_is_that_source(tmp_path, alone):
    table = read_any(written(tmp_path, HEADER + f"{alone},t,0.2\n"))
    assert table.sources == ["a"]


def test_a_name_with_signs_is_one_source_where_it_is_a_target(tmp_path):
    text = HEADER + "a,a+b,0.1\nb,a+b,0.2\na+b,a+b,0.3\nheight (m),a,0.1\na|a+b,a,0.4\n"
    table = read_any(written(tmp_path, text))
    assert table.sources == ["a", "b", "a+b", "height (m)"]
    assert Transfer(("a", "a+b"), "a") in table.of


def test_rows_alone_are_a_table_as_pandas_writes_its_records(tmp_path):
    rows = [
        {"sources": "a", "target": "t", "affinity": 0.1, "control": None},
        {"sources": ["b"], "target": "t", "affinity": 0.1, "control": None},
        {"sources": "a|b", "target": "t", "affinity": 0.3, "control": None},
        {"sources": None, "target": "t", "affinity": 0.5, "control": "supervised"},
    ]
    table = read_any(written(tmp_path, json.dumps(rows), "records.json"))
    assert table.rows[2].transfer == Transfer(("a", "b"), "t")
    assert table.supervised("t").affinity == 0.5


def test_a_released_key_joined_by_another_sign_is_a_pair_or_refused(tmp_path):
    table = read_any(written(tmp_path, '{"a__t": 0.1, "b__t": 0.2, "a+b__t": 0.3}', "a.json"))
    assert table.rows[2].transfer == Transfer(("a", "b"), "t")
    with pytest.raises(ValueError, match=r"a\+b__t: the source 'a\+b' is no target"):
        read_any(written(tmp_path, '{"a__t": 0.1, "a+b__t": 0.3}', "b.json"))
