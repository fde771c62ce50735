"""Losses in long form become a store; what is wrong is said with the file and the line."""

import pytest

from models.taxonomy import Transfer
from models.taxonomy.tournament.loss_tables import store_of

HEADER = "target,sources,image,loss,control\n"
SOUND = "t,a,i1,0.5,\nt,a,i2,0.25,\nt,a+t,i2,1,\nt,a+t,i1,2,\nt,,i1,3,scratch\nt,,i2,4,scratch\n"


def written(tmp_path, text):
    path = tmp_path / "losses.csv"
    path.write_text(text)
    return path


def test_lines_of_any_order_become_rows_of_the_same_images(tmp_path):
    measured = store_of(written(tmp_path, HEADER + SOUND), tmp_path / "store").read("t")
    assert measured.images == ("i1", "i2")
    assert dict(zip(measured.transfers, measured.losses.tolist())) == {
        Transfer(("a",), "t"): [0.5, 0.25],
        Transfer(("a", "t"), "t"): [2, 1],
        Transfer((), "t", control="scratch"): [3, 4],
    }


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "lacks target, sources, image, loss, it has nothing"),
        (HEADER, "no line of losses"),
        ("target,source,image,loss\n", "lacks sources, it has target, source"),
        ("target,sources,image,loss,loss\n", "a column twice"),
        (HEADER + "t,a,i1,0.5,,7\n", "line 2 has more cells than columns"),
        (HEADER + "t,a,,0.5,\n", "line 2 has no image"),
        (HEADER + "t,a,i1,,\n", "line 2 has no loss"),
        (HEADER + "t,a,i1,x,\n", "line 2: loss is a number, got 'x'"),
        (HEADER + SOUND + "t,a,i2,1,\n", "line 8: the loss of a -> t on image 'i2' stands twice"),
        (HEADER + SOUND + "t,t|a,i1,1,\nt,t;a,i1,1,\n", "line 9: .*two spellings"),
        (HEADER + SOUND + "t,b+c,i1,1,\n", "line 8: the source 'b.c' is no target"),
        (HEADER + "t,,i1,1,\n", "line 2: a transfer into t has sources"),
        (HEADER + "t,a,i1,nan,\n", "losses.csv: .*1 of 1 losses are not finite"),
        (HEADER + "t,a,i1,-1,\n", "losses.csv: .*not negative"),
        (HEADER + SOUND + "t,t,i1,1,\n", r"losses.csv: t -> t: .*1 are missing \(i2\)"),
        (HEADER + "../t,a,i1,1,\n", "losses.csv: a target is called as a folder can be"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_line(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=message) as caught:
        store_of(path, tmp_path / "store")
    assert str(path) in str(caught.value)
