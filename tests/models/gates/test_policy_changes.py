"""What a policy does otherwise is said target by target."""

from models.gates.policy_changes import changed_ways, explained


def policy(supervised, **ways):
    edges = [
        {"target": target, "sources": list(way)}
        if way != "scratch"
        else {"target": target, "sources": [], "control": "scratch"}
        for target, way in ways.items()
    ]
    return {"supervised": supervised, "edges": edges}


OLD = policy(["normal"], normal=(), reshading=("normal",), depth="scratch")
NEW = policy(["edges"], normal=("edges",), reshading=("normal",), layout=("edges", "normal"))


def test_the_same_policy_changes_nothing():
    assert explained(OLD, OLD) == [] and changed_ways(OLD, OLD) == {}


def test_every_change_is_said():
    assert explained(OLD, NEW) == [
        "labels of edges are supervised now",
        "labels of normal are no longer supervised",
        "normal: answered by a transfer from edges, before by its own network",
        "layout is answered for the first time",
        "depth is not answered any more",
    ]
    assert changed_ways(policy([], depth="scratch"), policy([], depth=())) == {
        "depth": "answered by its own network, before by a network from scratch on little data"
    }
