"""A task of every kind of output that no list knows goes from its entry to the served answer.

Through target, samples, training with augmentation, losses, block layout and judge, forms,
decoding, pictures and words.
"""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
from bare_model import BareModel
from new_tasks import NEW
from synthetic import SIZE, draws, view
from synthetic_policy import synthetic_policy, write_transfers
from tiny_store import TINY

from models.tasks import ANSWERED, TASKS
from models.tasks.targets import target

CONFIG = dataclasses.replace(TINY, augment=True)
SPLITS = ("train", "val", "test")
LEARNED = list(NEW)
SUPERVISED = ["glossiness", "room_use"]  # the others are reached from both
OF_ONE_VIEW = [name for name, entry in NEW.items() if entry.images == 1]
MAPS = [name for name, entry in NEW.items() if entry.output.dense]


def write_examples(folder) -> str:
    """eight made-up views of one point a split, as ingest writes them."""
    from models.examples.example import encode_view
    from models.examples.index import FOLDER, Entry, shard_file, write_index
    from models.examples.shards import shard_writer

    entries = []
    for number, split in enumerate(SPLITS):
        (folder / f"Split-{split}").mkdir(parents=True)
        with shard_writer(folder / shard_file(split, 0, 1)) as writer:
            for i in range(8):
                made = view(8 * number + i)
                place = writer.write(encode_view(made, split))
                entries.append(Entry(made.key, split, 0, place))
    write_index(folder / FOLDER, entries, {"hash": "0" * 16, "size": SIZE, "shards": 1})
    return str(folder)


@pytest.fixture(scope="module")
def journey(tmp_path_factory):
    """what the new tasks leave behind: store, records and folder of networks, bundle, and its
    answers to one picture, or a pair.
    """
    import tensorflow as tf

    from models.examples.label_store import build_label_store
    from models.examples.published import encode_png
    from models.networks.task_networks.ledger import train_tasks
    from serving.bundle.build import build_bundle

    root = tmp_path_factory.mktemp("new_tasks")
    with pytest.MonkeyPatch.context() as patch:
        for name, entry in NEW.items():
            patch.setitem(TASKS, name, entry)
        examples = write_examples(root / "examples")
        store = build_label_store(examples, root / "store", seed=0, max_samples=8, tasks=NEW)
        tf.config.run_functions_eagerly(True)  # a step is cheaper than tracing it
        records = train_tasks(store, root / "networks", LEARNED, CONFIG)
        tf.config.run_functions_eagerly(False)
        policy = synthetic_policy(SUPERVISED, list(NEW))
        write_transfers(root / "transfers", policy, CONFIG, SIZE)
        bundle = build_bundle(
            policy,
            root / "networks",
            root / "transfers",
            root / "bundle",
            lineage={},
            image_size=SIZE,
            whitening={name: store.whitening(name) for name in NEW if NEW[name].whitened},
        )
        picture = encode_png(view(0).rgb)
        model = BareModel(bundle)
        answers = model.run("image_bytes", {"image_bytes": np.array([picture], object)})
        pairs = np.array([[picture, picture]], object)
        answers |= model.run("image_bytes_2", {"image_bytes": pairs})
        yield SimpleNamespace(
            root=root,
            store=store,
            records=records,
            bundle=bundle,
            picture=picture,
            signatures=model.signatures,
            answers={name: value[0] for name, value in answers.items()},
        )


def test_the_new_tasks_are_of_every_kind_and_none_is_known():
    assert {entry.output.kind for entry in NEW.values()} == set(ANSWERED)
    assert not set(NEW) & set(TASKS)


@pytest.mark.parametrize("entry", NEW.values(), ids=lambda entry: entry.name)
def test_its_label_store_holds_targets_as_the_entry_declares(journey, entry):
    for split in SPLITS:
        data = journey.store.samples(entry.name, split)
        assert data.target.shape == (8, *entry.target_shape(SIZE))
        assert data.target.dtype == entry.output.facts.stored
    rows = np.asarray(data.views)
    views = [[view(16 + i) for i in row] for row in rows]
    value = np.stack([target(entry, sample, draws)[0] for sample in views])
    mean, deviation = journey.store.whitening(entry.name)
    assert (deviation.shape == (entry.output.channels,)) == entry.whitened
    np.testing.assert_allclose(data.target, (value - mean) / deviation, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", LEARNED)
def test_it_takes_a_step_and_its_loss_is_a_number(journey, name):
    record = journey.records[name]
    assert len(record["curve"]) == 1 and np.isfinite(record["loss"]) and record["loss"] >= 0
    losses = np.load(journey.root / "networks" / name / "test_losses.npy")
    assert losses.shape == (8,)


@pytest.mark.parametrize("name", MAPS)
def test_its_blocks_are_judged_by_its_own_loss(journey, name):
    from models.networks.losses.block_layout import fit_targets, from_blocks, to_blocks
    from models.networks.losses.block_losses import Judge, block_channels, sharpness
    from models.networks.losses.losses import image_losses

    entry, data = TASKS[name], journey.store.samples(name, "test")
    images = journey.store.images("test")[np.asarray(data.views)[:, 0]]
    fit = fit_targets(entry, data.target, data.mask, images, 4)
    assert fit.shape == (8, SIZE, SIZE, block_channels(entry))
    blocks = to_blocks(fit, 4, 2)
    answer = from_blocks(blocks, 4, block_channels(entry), 2) * sharpness(entry)
    at_views = np.zeros((8, 16, blocks.shape[-1]), "float32")
    at_views[np.asarray(data.views)[:, 0]] = blocks.reshape(8, 16, -1)
    wanted = image_losses(entry.loss, data.target, data.mask, answer)
    judged = Judge(journey.store, name, 4, 2)(at_views, 0)
    np.testing.assert_allclose(judged, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("entry", NEW.values(), ids=lambda entry: entry.name)
def test_it_is_served_in_every_form_of_its_kind(journey, entry):
    endings = {
        "pixels": {"codes", "png_bytes"},
        "pixel_classes": {"codes", "png_bytes"},
        "embedding": {"codes", "png_bytes"},
        "classes": {"top_ids", "top_scores", "top_names"},
        "vector": {"metric"},
    }[entry.output.kind]
    offered = set(journey.signatures[entry.name].outputs)
    assert offered == {entry.name, *(f"{entry.name}_{ending}" for ending in endings)}
    answer = journey.answers[entry.name]
    assert np.isfinite(answer).all() and answer.ndim == len(entry.output.shape(SIZE))
    if entry.whitened:
        mean, deviation = journey.store.whitening(entry.name)
        metric = journey.answers[f"{entry.name}_metric"]
        np.testing.assert_allclose(metric, answer * deviation + mean, rtol=1e-4, atol=1e-4)
    if entry.output.kind == "classes":
        named = journey.answers[f"{entry.name}_top_names"]
        best = int(answer.argmax())
        assert named[0].decode() == f"class {best}"


def test_the_contract_beside_the_graph_says_what_each_entry_says(journey):
    from serving.bundle.assets import read_extras

    contract, _ = read_extras(journey.bundle)
    for name, entry in NEW.items():
        facts = contract["tasks"][name]
        assert (facts["title"], facts["unit"]) == (entry.title, entry.unit)
        assert facts.get("names", []) == (list(entry.names) if entry.output.facts.classes else [])
        numbers = list(entry.names) if entry.output.kind == "vector" else []
        assert facts.get("numbers", []) == numbers
        assert ("codes" in facts) == entry.output.dense


def test_a_person_gets_a_figure_of_maps_and_classes_and_words_for_all(journey, tmp_path):
    from serving.client.answers import save_answers

    answers = {name: value for name, value in journey.answers.items() if not name.endswith("names")}
    save_answers(answers, tmp_path, journey.picture)
    drawn = {path.stem for path in tmp_path.glob("*.png")} - {"sheet"}
    assert {*MAPS, "room_use"} <= drawn
    words = json.loads((tmp_path / "answers.json").read_text())
    assert set(NEW) <= set(words)
    assert words["room_use"]["classes"][0]["name"].startswith("class ")
    assert set(words["materials"]["shares"]) <= set(NEW["materials"].names)
    assert list(words["odometry"]["numbers"]) == list(NEW["odometry"].names)


@pytest.mark.parametrize("name", MAPS)
def test_reports_picture_its_label_and_its_answer(journey, name):
    from models.networks.predictions.pictures import picture

    label = np.asarray(journey.store.samples(name, "test").target[0], "float32")
    for value, is_label in ((label, True), (journey.answers[name], False)):
        shown = picture(TASKS[name], value, is_label)
        assert shown.shape == (SIZE, SIZE, 3) and shown.dtype == np.uint8


@pytest.mark.parametrize("name", OF_ONE_VIEW)
def test_cheap_predictors_of_transfer_read_its_labels(journey, name):
    from models.networks.transfers.proxy_inputs import label_features

    data = journey.store.samples(name, "train")
    value = np.asarray(data.target, "float32")
    features = label_features(TASKS[name], value, np.asarray(data.mask, "float32"))
    assert features.shape[0] == 8 and np.isfinite(features).all()
