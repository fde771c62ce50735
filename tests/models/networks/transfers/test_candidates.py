"""The published rule in numbers: ten pairs and triples of the best five, fifteen fours of the best
six, then one set an order.
"""

from models.networks.transfers.candidates import first_wave, second_wave


def test_all_pairs_then_the_published_rule():
    ranked = [7, 3, 9, 1, 5, 0, 2]
    assert (
        len(first_wave(26, 2, "all_pairs")) == 26 + 325
        and second_wave(ranked, 2, "all_pairs") == []
    )
    more = second_wave(ranked, 6, "all_pairs")
    assert [sum(len(subset) == size for subset in more) for size in range(2, 7)] == [
        0,
        10,
        15,
        1,
        1,
    ]
    assert (1, 3, 5, 7, 9) in more and (0, 1, 3, 5, 7, 9) in more
    assert len(set(more)) == len(more) and all(list(subset) == sorted(subset) for subset in more)


def test_the_published_rule_ranks_pairs_too():
    assert len(first_wave(26, 4, "published")) == 26
    more = second_wave([4, 3, 2, 1, 0, 9], 2, "published")
    assert len(more) == 10 and not any(9 in subset for subset in more)


def test_the_untrained_control_is_in_no_set_of_five_or_more():
    ranked = [7, 3, 9, 1, 5, 0, 2]
    more = second_wave(ranked, 6, "all_pairs", controls=[9])
    assert [subset for subset in more if len(subset) >= 5] == [(0, 1, 3, 5, 7), (0, 1, 2, 3, 5, 7)]
    assert any(9 in subset for subset in more if len(subset) < 5), "as in the released study"
    few = second_wave([4, 3, 2, 1, 0], 5, "published", controls=[4])
    assert max(len(subset) for subset in few) == 4, "four sources that are trained make no five"
