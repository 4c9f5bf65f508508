"""Image i of (bundle, class, seed) is one image, however it is asked for, and says what it is."""

import hashlib
import json
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from training.phantom.classes import CLASSES

SEED = 20181109


def npz(client, start, count, *, name="cyst", seed=SEED):
    answer = client.get(
        f"/synthesize?class={name}&seed={seed}&start={start}&count={count}&format=npz"
    )
    assert answer.status_code == 200
    with np.load(BytesIO(answer.content)) as archive:
        return archive["patch_hu"]


def hu_of(png):
    return np.asarray(Image.open(BytesIO(png))).astype(int) - 1024


@pytest.fixture(scope="module")
def whole(client):
    return npz(client, 0, 80)


def test_npz_holds_whole_hounsfield_units(whole, bundle):
    assert whole.shape == (80, 64, 64)
    assert whole.dtype == np.int16
    low, high = bundle.manifest.hu_window
    assert low - 1 <= whole.min() < whole.max() <= high + 1
    assert len(np.unique(whole.reshape(80, -1), axis=0)) == 80


@settings(deadline=None, max_examples=15)
@given(start=st.integers(0, 70), count=st.integers(1, 10))
def test_any_shard_is_cut_from_the_whole(client, whole, start, count):
    np.testing.assert_array_equal(npz(client, start, count), whole[start : start + count])


@pytest.mark.parametrize("index", [0, 15, 16, 41])
def test_a_png_is_the_same_image(client, whole, index):
    answer = client.get(f"/synthesize?class=cyst&seed={SEED}&start={index}")
    assert answer.headers["Content-Type"] == "image/png"
    np.testing.assert_array_equal(hu_of(answer.content), whole[index])


def test_far_out(client):
    last = 2**63 - 2
    assert npz(client, last, 1).shape == (1, 64, 64)
    np.testing.assert_array_equal(npz(client, 2**40, 3)[2:], npz(client, 2**40 + 2, 1))


def test_classes_and_seeds_differ(client, whole):
    for other in (npz(client, 0, 2, name="metastasis"), npz(client, 0, 2, seed=SEED + 1)):
        assert (other != whole[:2]).any(axis=(1, 2)).all()


def test_a_zip_has_a_manifest_entry_for_each_image(client, bundle, whole):
    url = f"/synthesize?class=cyst&seed={SEED}&start=10&count=20&format=zip"
    answer = client.get(url)
    with ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        assert len(archive.namelist()) == 21
        for entry in manifest["images"]:
            data = archive.read(entry["file"])
            assert hashlib.sha256(data).hexdigest() == entry["sha256"]
            np.testing.assert_array_equal(hu_of(data), whole[entry["index"]])
    assert [entry["index"] for entry in manifest["images"]] == list(range(10, 30))
    assert manifest["bundle_digest"] == bundle.digest
    assert manifest["generator_digest"] == bundle.manifest.generators["cyst"].sha256
    assert manifest["notice"].startswith("SYNTHETIC")
    assert client.get(url).content == answer.content


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("output", ["png", "zip", "npz"])
def test_every_answer_says_that_it_is_synthetic(client, bundle, name, output):
    answer = client.get(f"/synthesize?class={name}&seed=3&start=5&format={output}")
    told = {
        "Hepatica-Synthetic": "true",
        "Hepatica-Bundle-Digest": bundle.digest,
        "Hepatica-Generator-Digest": bundle.manifest.generators[name].sha256,
        "Hepatica-Class": name,
        "Hepatica-Seed": "3",
        "Hepatica-Range": "5-5",
    }
    assert told.items() <= {key.title(): value for key, value in answer.headers.items()}.items()
    assert f"synthetic-{name}-3-5-5.{output}" in answer.headers["Content-Disposition"]
    if output == "png":
        text = Image.open(BytesIO(answer.content)).text
    elif output == "npz":
        with np.load(BytesIO(answer.content)) as archive:
            text = {f"hepatica:{k}": v for k, v in json.loads(archive["manifest.json"]).items()}
    else:
        data = ZipFile(BytesIO(answer.content)).read("manifest.json")
        text = {f"hepatica:{k}": v for k, v in json.loads(data).items()}
    assert text["hepatica:notice"].startswith("SYNTHETIC")
    assert text["hepatica:class"] == name
    assert text["hepatica:bundle_digest"] == bundle.digest
    assert text["hepatica:generator_digest"] == bundle.manifest.generators[name].sha256


def test_a_seed_is_drawn_and_named(client):
    first, second = (client.get("/synthesize?class=cyst") for _ in range(2))
    assert first.headers["Hepatica-Seed"] != second.headers["Hepatica-Seed"]
    again = client.get(f"/synthesize?class=cyst&seed={first.headers['Hepatica-Seed']}")
    assert again.content == first.content


def test_head_makes_no_image(client):
    made = 'hepatica_images_synthesized_total{format="zip",label="cyst"}'

    def count():
        lines = client.get("/metrics").text.splitlines()
        return [line for line in lines if line.startswith(made)]

    before = count()
    answer = client.head("/synthesize?class=cyst&format=zip&count=100&seed=4")
    assert answer.headers["Hepatica-Range"] == "0-99"
    assert count() == before


@pytest.mark.parametrize(
    ("query", "way_on"),
    [
        ("count=2", "format=zip or format=npz holds more"),
        ("count=2&format=png", "format=zip or format=npz holds more"),
        ("count=101&format=npz", "go on with start=100 and the same seed"),
        ("count=101&format=zip&start=7&seed=1", "go on with start=107 and the same seed"),
    ],
)
def test_too_many_images_are_refused_with_the_way_to_have_them(client, query, way_on):
    answer = client.get(f"/synthesize?class=cyst&{query}")
    assert answer.json()["type"] == "urn:hepatica:problem:count"
    assert way_on in answer.json()["detail"]


def test_the_last_start_is_the_one_that_is_described(client):
    described = client.get("/openapi.json").json()["paths"]["/synthesize"]["get"]["parameters"]
    (last,) = (p["schema"]["maximum"] for p in described if p["name"] == "start")
    query = "/synthesize?class=cyst&seed=1&format=npz&count=100&start="
    assert client.get(f"{query}{last}").headers["Hepatica-Range"] == f"{last}-{last + 99}"
    assert client.get(f"{query}{last + 1}").json()["type"] == "urn:hepatica:problem:start"


def test_places_are_bounded_and_given_back(serve_here):
    url = "/synthesize?class=cyst&format=npz&seed=1&count=100000"
    with serve_here(max_downloads=2, max_images=100_000) as client:
        with client.stream("GET", url), client.stream("GET", url):
            refused = client.get("/synthesize?class=cyst")
            assert refused.status_code == 503
            assert refused.headers["Retry-After"] == "1"
            assert client.post("/classify").status_code == 400  # another queue, another thread
        for _ in range(100):  # both readers left: the server notices when it next writes
            if client.get("/synthesize?class=cyst").status_code == 200:
                return
        raise AssertionError("the places of those who left were not given back")


def test_a_download_does_not_hold_up_a_classification(serve_here, npy):
    url = "/synthesize?class=cyst&format=npz&seed=1&count=100000"
    patch = npy(np.zeros((64, 64), np.float32))
    with serve_here(max_images=100_000) as client, client.stream("GET", url):
        seconds = []
        for _ in range(20):
            answer = client.post(
                "/classify", content=patch, headers={"Content-Type": "application/x-npy"}
            )
            assert answer.status_code == 200
            seconds.append(answer.elapsed.total_seconds())
        assert sorted(seconds)[10] < 0.5  # the download takes many seconds
