"""The models of a server: which of them a request means, what a reload makes of them."""

import grpc
import pytest
from line_model import save_lines

from serving.errors import ServingError
from serving.server.catalog import Catalog
from serving.server.config_files import ModelConfig
from serving.server.loading import Loading
from serving.server.models import AVAILABLE, END, Model, Policy, Retry, State
from serving.server.session import never
from serving.wire.model_spec import ModelSpec


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "lines"
    for number in (1, 3):
        save_lines(folder / str(number), float(number))
    return folder


def test_a_reload_replaces_the_set_and_holds_labels_to_what_is_loaded(base):
    catalog = Catalog()
    catalog.reload([ModelConfig("a", base)])
    with pytest.raises(ServingError, match="not currently available for inference"):
        catalog.reload([ModelConfig("a", base, labels={"x": 1})])
    catalog.reload([ModelConfig("b", base, Policy(specific=(1,)))])
    assert set(catalog.models) == {"b"} and catalog.models["b"].current.number == 1


@pytest.mark.parametrize(
    "spec, code, words",
    [
        (None, "INVALID_ARGUMENT", "Missing ModelSpec"),
        (ModelSpec(), "INVALID_ARGUMENT", "ModelSpec has no name specified"),
        (ModelSpec("b"), "NOT_FOUND", r"Latest\(b\)"),
        (ModelSpec("b", 7), "NOT_FOUND", r"Specific\(b, 7\)"),
        (ModelSpec("b", label="x"), "INVALID_ARGUMENT", "Unrecognized servable .* label: x"),
    ],
)
def test_a_request_that_means_no_model_is_told_so(spec, code, words):
    with pytest.raises(ServingError, match=words) as error:
        Catalog().acquire(spec)
    assert error.value.code.name == code


def test_a_model_that_was_removed_is_not_loaded_by_a_look_that_began_before(base):
    catalog = Catalog()
    catalog.reload([ModelConfig("a", base), ModelConfig("b", base)])
    first, second = catalog.models["a"], catalog.models["b"]
    poll = first.poll

    def reload_meanwhile() -> None:
        first.poll = poll
        catalog.reload([ModelConfig("a", base)])

    first.poll = reload_meanwhile
    catalog.poll()
    assert set(catalog.models) == {"a"} and first.current.number == 3
    assert not second.versions, "nobody would ever unload it"


def test_a_server_without_models_is_ready_to_be_told_of_some(base):
    catalog = Catalog()
    catalog.reload([])
    assert catalog.ready() and catalog.failure() is None
    catalog.reload([ModelConfig("a", base)])
    assert catalog.acquire(ModelSpec("a")) and catalog.ready()


def test_the_status_names_versions_newest_first():
    model = Model("a", "/nowhere")
    broken = State(END, "broken", grpc.StatusCode.DATA_LOSS)
    model.states = {1: broken, 3: State(AVAILABLE)}
    catalog = Catalog.of(model)
    assert catalog.status("a") == [(3, State(AVAILABLE)), (1, broken)]
    assert catalog.status("a", 1) == [(1, broken)]
    for name, number, words in (("a", 2, "version 2 of model a"), ("b", None, "any versions")):
        with pytest.raises(ServingError, match=words):
            catalog.status(name, number)
    assert Catalog.of(catalog) is catalog


def test_what_cannot_be_loaded_is_the_failure_of_the_whole(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"no model")
    catalog = Catalog()
    with pytest.raises(ServingError, match=r"1 model\(s\) did not become available: .*name: a"):
        catalog.reload([ModelConfig("a", tmp_path)])
    assert not catalog.ready() and catalog.failure().startswith("a version 1: ")
    assert catalog.serves("a") and not catalog.serves("b")


@pytest.fixture
def hopeful(tmp_path):
    """(a catalog that tries again after a minute, the config of a broken model)."""
    broken = tmp_path / "1"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"no model")
    return Catalog(loading=Loading(retries=5, retry_seconds=60)), ModelConfig("a", tmp_path)


def test_a_load_that_is_to_be_tried_again_keeps_nobody_waiting(hopeful, base):
    catalog, config = hopeful
    catalog.reload([config], never)
    catalog.reload([config, ModelConfig("b", base)])
    assert catalog.acquire(ModelSpec("b")) and not catalog.ready() and catalog.failure() is None


def test_a_reload_waits_for_its_new_models_while_others_are_reloaded(hopeful, base):
    catalog, config = hopeful
    looks = []

    def mend_meanwhile() -> bool:
        looks.append(1)
        # as another request would: the operator's repair
        catalog.reload([ModelConfig("a", base), ModelConfig("b", base)])
        return True

    catalog.reload([config], mend_meanwhile)
    assert len(looks) == 1 and catalog.ready() and catalog.models["a"].current.number == 3


def test_due_tries_are_made_for_every_model(hopeful):
    catalog, config = hopeful
    catalog.reload([config], never)
    model = catalog.models["a"]
    catalog.retry()
    assert catalog.failure() is None, "none is due"
    model.retries[1] = Retry(0, 0.0, model.retries[1].ended)
    catalog.retry()
    assert catalog.failure().startswith("a version 1: ")
