"""A share of the labels: nested, whole buildings first, and nothing of it known from the rest."""

import pickle

import numpy as np
import pytest
from published_set import write_set

from beam_jobs.ingest.job import ingest
from models.examples import index, label_store
from models.examples.index import FOLDER, Index
from models.examples.label_share import LabelShare, views_of_share
from models.examples.label_store import build_label_store
from models.networks.training.averages import average_answer
from models.tasks import TASKS, building_of

BUILDINGS = ("ash", "birch", "cedar", "elm", "fir", "hazel", "juniper")
# A map, a task about one view whose targets are whitened, and one about two views.
NAMES = ("depth_zbuffer", "room_layout", "fixated_pose")
SHARES = (0.15, 0.3, 0.6, 1.0)


@pytest.fixture(scope="module", params=["kept", "lazy"])
def store(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    write_set(folder / "data", BUILDINGS, points=2, views=2)
    ingest(str(folder / "data"), str(folder / "examples"), size=32, shards=1)
    room = label_store.CACHE_BYTES if request.param == "kept" else 0
    tasks = {name: TASKS[name] for name in NAMES}
    return build_label_store(
        str(folder / "examples"),
        folder / "store",
        seed=0,
        max_samples=50,
        tasks=tasks,
        cache_bytes=room,
    )


def shares_of(store, seed=0):
    return [LabelShare(store.directory, share, seed) for share in SHARES]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("split", ["train", "val"])
def test_shares_are_nested_and_the_whole_is_everything(store, name, split):
    rows = [set(part.rows(name, split).tolist()) for part in shares_of(store)]
    for smaller, larger in zip(rows, rows[1:]):
        assert smaller <= larger
    assert rows[-1] == set(range(len(store.samples(name, split))))
    views = [part.count(split) for part in shares_of(store)]
    total = len(store.views(split))
    assert views == [max(1, round(share * total)) for share in SHARES]


def test_samples_are_those_whose_views_are_all_in_the_share(store):
    (part,) = (part for part in shares_of(store) if part.share == 0.6)
    views = np.asarray(store.samples("fixated_pose", "train").views)
    known = part.known("train")
    inside = [i for i, row in enumerate(views.tolist()) if all(known[view] for view in row)]
    assert 0 < len(inside) < len(views)
    np.testing.assert_array_equal(part.rows("fixated_pose", "train"), inside)
    np.testing.assert_array_equal(part.samples("fixated_pose", "train").views, views[inside])


def test_whole_buildings_come_first_in_an_order_that_the_seed_fixes(store):
    keys = store.views("train")
    orders = set()
    for seed in range(6):
        part = LabelShare(store.directory, 0.5, seed)
        known = part.known("train")
        counts = {}
        for key, inside in zip(keys, known):
            counts.setdefault(building_of(key), []).append(bool(inside))
        cut = [name for name, each in counts.items() if any(each) and not all(each)]
        assert len(cut) <= 1
        orders.add(known.tobytes())
    assert len(orders) > 1
    again = LabelShare(store.directory, 0.5, 0)
    other = LabelShare(store.directory, 0.5, 0)
    np.testing.assert_array_equal(again.known("train"), other.known("train"))


def test_a_cut_building_gives_its_first_views():
    buildings = [range(4), range(4, 8), range(8, 12)]
    known = views_of_share(buildings, 0.5, 0)
    assert known.sum() == 6
    parts = sorted((known[span.start : span.stop].tolist() for span in buildings), key=sum)
    assert parts == [[False] * 4, [True, True, False, False], [True] * 4]
    assert views_of_share([], 0.5, 0).shape == (0,)


def test_labels_are_the_whole_stores_and_whitened_by_the_share_alone(store):
    (part,) = (part for part in shares_of(store) if part.share == 0.3)
    rows = part.rows("depth_zbuffer", "train")
    whole, own = store.samples("depth_zbuffer", "train"), part.samples("depth_zbuffer", "train")
    assert own.target.shape == (len(rows), *whole.target.shape[1:])
    every = slice(0, len(rows))
    for mine, theirs in zip(own.labels(every), whole.labels(rows)):
        assert mine.dtype == theirs.dtype and mine.tobytes() == theirs.tobytes()
    assert np.asarray(own.target).tobytes() == own.labels(every)[0].tobytes()
    assert np.asarray(own.mask).tobytes() == own.labels(every)[1].tobytes()
    # of numbers that are whitened, mean 0 and deviation 1 over the share itself
    layouts = part.samples("room_layout", "train").labels(slice(0, len(rows)))[0]
    np.testing.assert_allclose(layouts.mean(0), 0, atol=1e-5)
    moving = layouts.std(0) > 1e-3
    assert moving.any()
    np.testing.assert_allclose(layouts.std(0)[moving], 1, rtol=1e-4)
    # and the same metres as in the whole store
    mean, deviation = part.whitening("room_layout")
    every_mean, every_deviation = store.whitening("room_layout")
    assert not np.allclose(mean, every_mean)
    rows = part.rows("room_layout", "train")
    metres = store.samples("room_layout", "train").labels(rows)[0] * every_deviation + every_mean
    np.testing.assert_allclose(layouts * deviation + mean, metres, rtol=1e-4, atol=1e-5)


def test_pictures_come_with_the_labels_of_their_own_views(store):
    part = shares_of(store)[1]
    data = part.samples("fixated_pose", "train")
    pictures, target, mask = data.take([0, len(data) - 1], part.images("train"))
    views = data.views[[0, len(data) - 1]]
    np.testing.assert_array_equal(pictures, np.asarray(store.images("train")[:])[views])
    np.testing.assert_array_equal(target, data.labels([0, len(data) - 1])[0])
    assert len(mask) == 2


def test_the_records_of_a_shares_own_views_are_fetched(store, monkeypatch):
    part = shares_of(store)[1]
    data = part.samples("fixated_pose", "train")
    rows = [0, len(data) - 1]
    fetched = []
    monkeypatch.setattr(index, "prefetch_features", lambda records, choose: fetched.extend(records))
    data.prefetch(rows, part.images("train"))
    where = Index(store.directory / "images" / FOLDER)
    examples = str(store.directory.parent / "examples")
    views = np.unique(data.views[rows]).tolist()
    kept = isinstance(data.whole.target, np.memmap)
    places = [] if kept else [where.file_and_place(examples, "train", i) for i in views]
    assert fetched == places


@pytest.mark.parametrize("name", ["depth_zbuffer", "room_layout"])
def test_a_constant_of_a_share_changes_with_no_label_outside_it(store, name, monkeypatch):
    part = shares_of(store)[1]
    before = average_answer(TASKS[name], part)
    assert part.sums(name) is None
    whitening = part.whitening(name)
    rows = part.rows(name, "train")
    target, mask = store.samples(name, "train").labels(rows)
    if name == "depth_zbuffer":
        weight = mask.astype("float64").sum(0)
        naive = (target.astype("float64") * mask).sum(0) / np.maximum(weight, 1e-3)
        np.testing.assert_allclose(before[0], naive, rtol=1e-3, atol=1e-4)
        assert not np.allclose(before, average_answer(TASKS[name], store), atol=1e-3)
    else:
        np.testing.assert_allclose(before, 0, atol=1e-5)
    # all other labels are gone: nothing changes
    fresh = LabelShare(store.directory, part.share, part.seed)
    data = fresh.whole.samples(name, "train")
    real = type(data).labels

    def guarded(self, asked):
        numbers = np.arange(len(self))[asked]
        assert set(numbers.tolist()) <= set(rows.tolist()), "a label was read that was not bought"
        return real(self, asked)

    monkeypatch.setattr(type(data), "labels", guarded)
    np.testing.assert_array_equal(average_answer(TASKS[name], fresh), before)
    np.testing.assert_array_equal(fresh.whitening(name), whitening)


def test_the_test_split_is_whole_and_a_share_has_an_address_of_its_own(store):
    parts = [*shares_of(store), LabelShare(store.directory, SHARES[0], 1)]
    assert all(part.count("test") == len(store.views("test")) for part in parts)
    addresses = {part.views_address for part in parts} | {store.views_address}
    assert len(addresses) == len(parts) + 1
    assert LabelShare(store.directory, SHARES[0], 0).views_address == parts[0].views_address


def test_another_process_opens_the_same_share(store):
    part = shares_of(store)[1]
    other = pickle.loads(pickle.dumps(part))
    assert type(other) is LabelShare and other.views_address == part.views_address
    np.testing.assert_array_equal(
        other.rows("depth_zbuffer", "train"), part.rows("depth_zbuffer", "train")
    )


def test_a_share_without_a_label_is_refused_where_it_would_be_whitened(store):
    part = LabelShare(store.directory, 1e-6, 0)
    assert len(part.rows("fixated_pose", "train")) == 0, "one view is no pair"
    with pytest.raises(LookupError, match="hold no label of fixated_pose"):
        part.whitening("fixated_pose")
