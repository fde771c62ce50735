"""Trees of tasks."""

import numpy as np
import pytest
from affinity_tables import PUBLISHED, there

from models.taxonomy.evidence.similarity import similarity_tree
from models.taxonomy.tournament.published import read_any


@there
@pytest.mark.parametrize("regime", ["1k", "16k"])
def test_the_solid_cluster_of_the_released_tree_has_support(regime):
    from models.taxonomy.evidence.similarity import members

    tree = similarity_tree(read_any(PUBLISHED / f"all_affinities_{regime}.json"))
    solid = {
        "curvature",
        "edge3d",
        "keypoint3d",
        "reshade",
        "rgb2depth",
        "rgb2mist",
        "rgb2sfnorm",
        "segment25d",
    }
    clusters = {
        frozenset(tree["names"][i] for i in cluster): share
        for cluster, share in zip(members(np.array(tree["linkage"])), tree["support"])
    }
    holding = [
        share
        for cluster, share in clusters.items()
        if solid <= cluster and len(cluster) <= len(solid) + 3
    ]
    assert holding, f"no cluster of at most {len(solid) + 3} tasks holds {solid}"
    assert 0.5 < tree["cophenetic"] <= 1


@there
@pytest.mark.parametrize("method", ["ward", "average"])
def test_three_dimensional_tasks_form_one_cluster(method):
    from scipy.cluster.hierarchy import fcluster

    tree = similarity_tree(read_any(PUBLISHED / "all_affinities_16k.json"), method)
    solid = {"edge3d", "keypoint3d", "reshade", "rgb2depth", "rgb2mist", "rgb2sfnorm"}
    for count in range(2, 8):
        labels = dict(zip(tree["names"], fcluster(tree["linkage"], count, "maxclust")))
        if (
            len({labels[name] for name in solid}) == 1
            and labels["autoencoder"] != labels["rgb2depth"]
        ):
            return
    pytest.fail("no cut of the tree holds the 3D tasks together and apart from autoencoding")
