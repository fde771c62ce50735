"""The store says what decoding every view at once said, whether labels are kept or made of the
records when they are used.
"""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from published_set import write_set

from beam_jobs.ingest.job import ingest
from models.examples import index, label_store, parse_view, records, views
from models.examples.index import FOLDER, Index
from models.examples.label_store import LabelStore, build_label_store
from models.examples.label_sums import summed, sums_kept
from models.examples.label_writer import SUMS
from models.examples.message import bytes_of, features_of
from models.examples.shards import DamagedRecord, Descriptor
from models.examples.splits import SPLITS
from models.examples.task_samples import name_number
from models.tasks import TASKS
from models.tasks.samples import samples
from models.tasks.targets import target

SEED = 3
LIMIT = 12
TRAINED = {name: entry for name, entry in TASKS.items() if entry.trained}


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    place = tmp_path_factory.mktemp("set")
    ingest(str(write_set(place / "data", views=4)), str(place / "out"), size=32, shards=2)
    return place / "out"


def build(examples, folder, tasks=TRAINED, **how):
    return build_label_store(
        str(examples), folder, seed=SEED, max_samples=LIMIT, tasks=tasks, **how
    )


@pytest.fixture(scope="module")
def kept(examples, tmp_path_factory):
    return build(examples, tmp_path_factory.mktemp("kept") / "store")


@pytest.fixture(scope="module")
def lazy(examples, tmp_path_factory):
    """nothing is kept, and no view stays decoded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(label_store, "DECODED", 0)
        return build(examples, tmp_path_factory.mktemp("lazy") / "store", cache_bytes=0)


def decoded_at_once(examples, entry, split):
    """the samples of a task from all views of a split in memory: (rows, targets, masks) or None."""
    there = [parse_view(record) for record in records(str(examples), split)]
    there.sort(key=lambda view: view.key)
    most = max(LIMIT, len(there)) if entry.images == 1 else LIMIT
    cameras = {view.key: view.camera for view in there if view.camera is not None}
    draw = np.random.default_rng([SEED, name_number(entry)])
    found = []
    for row in samples(entry, [view.key for view in there], cameras, draw, most):
        rng = np.random.default_rng([SEED, name_number(entry), *row.tolist()])
        label = target(entry, [there[i] for i in row], lambda rng=rng: rng)
        if label is not None and np.any(label[1] > 0):
            found.append((row, *label))
    return [np.stack(part) for part in zip(*found)] if found else None


def test_labels_within_keeping_are_those_of_the_records(lazy, kept):
    before = lazy.samples("normal", "val")
    with lazy.keeping("normal", "val"):
        data = lazy.samples("normal", "val")
        assert data is not before
        every = data.labels(slice(0, len(data)))
        for own, there in zip(every, before.labels(slice(0, len(data)))):
            assert own.dtype == there.dtype and own.tobytes() == there.tobytes()
        for own, there in zip(
            data.take(np.array([1, 0]), lazy.images("val")),
            before.take(np.array([1, 0]), lazy.images("val")),
        ):
            assert np.array_equal(own, there)
    assert lazy.samples("normal", "val") is before
    on_disk = kept.samples("normal", "val")
    with kept.keeping("normal", "val"):
        assert kept.samples("normal", "val") is on_disk


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("shown", [True, False])
def test_what_is_fetched_before_a_batch_is_what_it_reads(lazy, monkeypatch, name, shown):
    if not lazy.has(name):
        pytest.skip("no view of this set carries its labels")
    extents = {"read": set(), "prefetch": set()}
    plain = {way: getattr(Descriptor, way) for way in extents}

    def reading(file, several):
        extents["read"].update((file.key.path, *extent) for extent in several)
        return plain["read"](file, several)

    def fetching(file, offset, length):
        extents["prefetch"].add((file.key.path, offset, length))
        plain["prefetch"](file, offset, length)

    data, pictures = lazy.samples(name, "train"), lazy.images("train")
    rows = list(range(0, len(data), 2))
    alone = data.take(rows, pictures) if shown else data.labels(rows)
    monkeypatch.setattr(Descriptor, "read", reading)
    monkeypatch.setattr(Descriptor, "prefetch", fetching)
    data.prefetch(rows, pictures if shown else None)
    tables = set(extents["read"])
    assert tables <= extents["prefetch"]
    extents["read"].clear()
    beside = data.take(rows, pictures) if shown else data.labels(rows)
    assert tables and extents["read"] == extents["prefetch"] - tables
    # labels of some tasks are made of positions alone
    assert extents["read"] or not shown
    for one, other in zip(alone, beside, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("way", ["kept", "lazy"])
def test_samples_are_those_of_all_views_decoded_at_once(examples, request, way, name):
    store = request.getfixturevalue(way)
    entry = TASKS[name]
    whitening = None
    for split in SPLITS:
        expected = decoded_at_once(examples, entry, split)
        if expected is None:
            with pytest.raises(LookupError, match=name):
                store.samples(name, split)
            continue
        rows, values, masks = expected
        if entry.whitened:
            mean, deviation = whitening or (values.mean(0), np.maximum(values.std(0), 1e-3))
            whitening = (mean, deviation)
            assert np.array_equal(store.whitening(name), [mean, deviation])
            values = (values - np.array(mean.tolist())) / np.array(deviation.tolist())
        data = store.samples(name, split)
        assert isinstance(data.target, np.memmap) == (way == "kept")
        assert np.array_equal(data.views, rows) and len(data) == len(rows)
        assert data.target.shape == values.shape and data.mask.shape == masks.shape
        stored = values.astype(entry.output.facts.stored)
        assert np.asarray(data.target).tobytes() == stored.tobytes()
        assert np.asarray(data.mask).tobytes() == masks.astype("float16").tobytes()


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("way", ["kept", "lazy"])
def test_sums_of_train_labels_are_those_of_all_at_once(request, way, name):
    store = request.getfixturevalue(way)
    sums = store.sums(name)
    if not (sums_kept(TASKS[name]) and store.has(name)):
        assert sums is None
        return
    data = store.samples(name, "train")
    whole = summed(TASKS[name], *(np.asarray(part, "float32") for part in data.labels(slice(None))))
    assert np.array_equal(sums.total, whole.total) and sums.total.dtype == np.float64
    assert np.array_equal(sums.weight, whole.weight)
    assert (sums.strongest is None) == (TASKS[name].input != "lightness")
    assert np.array_equal(sums.strongest, whole.strongest)


@pytest.mark.parametrize("name", TRAINED)
def test_a_batch_is_the_same_bytes_with_and_without_copies(kept, lazy, name):
    for split in SPLITS:
        if not kept.has(name):
            continue
        ours, theirs = (store.samples(name, split) for store in (lazy, kept))
        several = [len(ours) - 1, 0, len(ours) // 2, 0]
        for rows in (several, np.array(several), slice(1, 4), slice(None)):
            made = ours.take(rows, lazy.images(split))
            beside = ours.take(rows, kept.images(split))  # pictures fit, labels do not
            expected = theirs.take(rows, kept.images(split))
            for a, b, c in zip(made, beside, expected):
                assert a.dtype == c.dtype and a.shape == c.shape
                assert a.tobytes() == b.tobytes() == c.tobytes()


@pytest.mark.parametrize("name", ["normal", "autoencoding", "room_layout", "point_matching"])
def test_a_batch_reads_each_record_once_and_decodes_what_the_task_reads(lazy, monkeypatch, name):
    reads, pictures, labels, cameras = [], [], [], []
    data = LabelStore(lazy.directory).samples(name, "train")
    monkeypatch.setattr(index, "read_features", noting(reads, index.read_features))
    monkeypatch.setattr(index, "read_record", None)  # nor is any read as a whole
    monkeypatch.setattr(views, "image_of", noting(pictures, views.image_of))
    monkeypatch.setattr(views, "parse_label", noting(labels, views.parse_label))
    monkeypatch.setattr(views, "parse_camera", noting(cameras, views.parse_camera))
    rows = [0, 1, 0]
    data.take(rows, lazy.images("train"))
    count = len(np.unique(np.asarray(data.views)[rows]))
    assert len(reads) == len(pictures) == count
    folders = {"normal": 2}  # its own, and the depth that masks it
    assert len(labels) == folders.get(name, 0) * count
    assert len(cameras) == count * ("point_info" in TASKS[name].labels)


def noting(calls, function):
    """`function`, with its calls counted in a list."""

    def noted(*given):
        calls.append(given)
        return function(*given)

    return noted


@pytest.mark.parametrize("way", ["kept", "lazy"])
def test_views_and_images_are_those_of_the_records(examples, request, way):
    store = request.getfixturevalue(way)
    for split in SPLITS:
        there = [parse_view(record) for record in records(str(examples), split)]
        there.sort(key=lambda view: view.key)
        assert list(store.views(split)) == [str(view.key) for view in there]
        assert np.array_equal(store.images(split)[:], [view.rgb for view in there])
        pairs = np.array([[0, 1], [2, 0], [1, 1]])
        assert np.array_equal(store.images(split)[pairs], np.asarray(store.images(split))[pairs])
    names = store.sample_names("point_matching", "train")
    keys = store.views("train")
    views = store.samples("point_matching", "train").views
    assert list(names) == [f"{keys[i]}+{keys[j]}" for i, j in views]
    assert len(names) == len(views) and list(names[1:3]) == list(names)[1:3]


def test_addresses_do_not_tell_how_labels_are_kept(kept, lazy):
    assert [kept.address(name) for name in TRAINED] == [lazy.address(name) for name in TRAINED]
    assert kept.views_address == lazy.views_address


def test_a_store_without_copies_is_small(examples, lazy):
    there = [path for path in lazy.directory.rglob("*") if path.is_file()]
    sums = [path for path in there if path.name == SUMS]
    # a sum of maps is as large as a map, however many there are
    for path in sums:
        numbers = int(np.prod(TASKS[path.parent.name].target_shape(lazy.size)))
        assert path.stat().st_size < 2 * 8 * numbers + 1000
    size = sum(path.stat().st_size for path in there if path not in sums)
    count = sum(Index(examples / FOLDER).count(split) for split in SPLITS)
    files = len(list(lazy.directory.rglob("*.*")))
    numbers = sum(lazy.samples(name, "train").views.nbytes for name in TRAINED if lazy.has(name))
    assert size < 3 * numbers + 64 * count + 1000 * files


def test_the_bound_is_a_task_s(examples, tmp_path):
    names = ("normal", "room_layout")
    store = build(examples, tmp_path, {name: TASKS[name] for name in names}, cache_bytes=20_000)
    is_mapped = [isinstance(store.samples(name, "train").target, np.memmap) for name in names]
    assert is_mapped == [False, True]


def test_a_store_goes_to_another_process_as_its_place(lazy):
    again = pickle.loads(pickle.dumps(lazy))
    assert len(again.samples("normal", "train")) == len(lazy.samples("normal", "train"))


def test_examples_that_moved_are_found_where_they_are_said_to_be(examples, tmp_path):
    tasks = {"normal": TASKS["normal"]}
    shutil.copytree(examples, tmp_path / "first")
    store = build(tmp_path / "first", tmp_path / "store", tasks, cache_bytes=0)
    expected = np.asarray(store.samples("normal", "val").target)
    (tmp_path / "first").rename(tmp_path / "second")
    with pytest.raises(FileNotFoundError, match="first"):
        LabelStore(tmp_path / "store").samples("normal", "val")
    store = build(tmp_path / "second", tmp_path / "store", tasks, cache_bytes=0)
    assert np.array_equal(store.samples("normal", "val").target, expected)


def test_a_store_of_an_earlier_layout_is_refused_in_a_line(kept, tmp_path):
    """as runs of earlier versions left it: its images described, and no index beside them."""
    folder = Path(shutil.copytree(kept.directory, tmp_path / "store"))
    shutil.rmtree(folder / label_store.IMAGES / FOLDER)
    with pytest.raises(
        FileNotFoundError, match="earlier layout .* run the pipeline again"
    ) as caught:
        LabelStore(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


def test_a_damaged_shard_is_named_and_leaves_no_half_store(examples, tmp_path):
    shutil.copytree(examples, tmp_path / "examples")
    shard = next((tmp_path / "examples" / "Split-val").iterdir())
    data = bytearray(shard.read_bytes())
    # in a picture: everything else of the views could be read without it
    picture = bytes_of(features_of(next(iter(records(str(examples), "val"))))["rgb"])
    data[data.index(picture) + len(picture) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(DamagedRecord, match=f"{shard.name}.*ingest again"):
        build(tmp_path / "examples", tmp_path / "store", {"normal": TASKS["normal"]})
    assert not list((tmp_path / "store").iterdir())


def test_a_full_disk_leaves_no_half_task(examples, tmp_path, monkeypatch):
    build(examples, tmp_path / "store", {"normal": TASKS["normal"]})

    def full(self, rows):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models.examples.npy_writer.NpyWriter.extend", full)
    with pytest.raises(OSError, match="No space left"):
        build(examples, tmp_path / "store", {"reshading": TASKS["reshading"]})
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["images", "normal"]


def test_labels_say_how_they_are_kept(lazy):
    facts = json.loads((lazy.directory / "normal" / "labels.json").read_text())
    assert facts["kept"] is False and facts["samples"]["train"] > 0


def test_tasks_side_by_side_are_written_as_one_after_the_other(
    examples, kept, tmp_path, monkeypatch
):
    monkeypatch.setattr(label_store, "MANY", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    names = ("normal", "room_layout")
    store = build(examples, tmp_path, {name: TASKS[name] for name in names})
    for name in names:
        there = (kept.directory / name / "seal.json").read_text()
        assert (store.directory / name / "seal.json").read_text() == there
