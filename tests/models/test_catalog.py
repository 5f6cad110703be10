"""The catalogue: what ships is whole, and mistakes in one are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from models.catalog import CatalogError, parse_catalog, shipped_catalog

SHA = "0" * 63 + "a"
GOOD = {
    "packages": {"pack": {"registry": "pypi", "version": "1.0", "bytes": 10, "sha256": SHA}},
    "files": {
        "group/file.bin": {
            "bytes": 5,
            "sha256": SHA,
            "licence": "MIT",
            "about": "five bytes",
            "sources": [{"url": "https://example.org/file.bin"}, {"parts": [{"package": "pack", "member": "pack/file.bin"}]}],
        }
    },
}


def test_every_shipped_file_can_be_had_from_a_pinned_package_and_most_from_their_makers() -> None:
    catalog = shipped_catalog()
    without_url = [entry.name for entry in catalog.entries.values() if not any(source.url for source in entry.sources)]
    assert all(any(source.parts for source in entry.sources) for entry in catalog.entries.values())
    assert all(source.url.startswith("https://") for entry in catalog.entries.values() for source in entry.sources if source.url)
    assert without_url == [
        "minilm/model.onnx",
        "pyannote_segmentation.pt",
        "yamnet/model.zip",
        "piper/en_US-joe-medium.onnx.json",
        "kokoro/vocab.json",
    ]  # these were made by those who uploaded the packages


def test_shipped_groups_and_names_have_no_doubles() -> None:
    text = Path("models/catalog.yaml").read_text(encoding="utf-8")
    names = [line.strip().rstrip(":") for line in text.splitlines() if line.startswith("  ") and line.endswith(":") and line[2] != " "]
    assert len(names) == len(set(names)) == len(shipped_catalog().entries)
    assert shipped_catalog().groups() == ("whisper-base", "minilm", "mpnet", "yamnet", "piper", "kokoro", "kokoro/voices")
    assert len(shipped_catalog().select(["kokoro/voices"])) >= 8


def test_select_takes_files_groups_or_everything_in_the_catalogues_order() -> None:
    catalog = shipped_catalog()
    assert [entry.name for entry in catalog.select(["silero_vad.onnx", "minilm"])] == [
        "minilm/model.onnx",
        "minilm/model.safetensors",
        "minilm/tokenizer.json",
        "silero_vad.onnx",
    ]
    assert len(catalog.select([])) == len(catalog.entries)
    with pytest.raises(CatalogError) as caught:
        catalog.select(["silero_vad.onx"])
    assert str(caught.value) == "The catalogue of weights has no 'silero_vad.onx'; did you mean silero_vad.onnx?"
    with pytest.raises(CatalogError, match=r"has no 'qq'; known are: whisper-base/model\.bin, "):
        catalog.select(["qq"])


def test_the_tags_of_a_wheel_are_for_packages_of_pypi() -> None:
    tree = yaml.safe_load(yaml.safe_dump(GOOD))
    tree["packages"]["pack"]["wheel"] = "cp311-cp311-manylinux_2_28_x86_64"
    part = parse_catalog(yaml.safe_dump(tree)).entries["group/file.bin"].sources[1].parts[0]
    assert part.package.wheel == "cp311-cp311-manylinux_2_28_x86_64"
    tree["packages"]["pack"]["registry"] = "npm"
    with pytest.raises(CatalogError, match="package pack: wheel is 'cp311-cp311-manylinux_2_28_x86_64'; a package of pypi can"):
        parse_catalog(yaml.safe_dump(tree))


def test_sources_say_what_they_are() -> None:
    entry = parse_catalog(yaml.safe_dump(GOOD)).entries["group/file.bin"]
    assert [str(source) for source in entry.sources] == ["https://example.org/file.bin", "pack==1.0"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("files", "group/file.bin", "bytes"), -1, "file group/file.bin: bytes is -1; it must be a positive whole number."),
        (
            ("files", "group/file.bin", "sha256"),
            "abc",
            "file group/file.bin: sha256 is 'abc'; it must be 64 hexadecimal digits in lower case.",
        ),
        (("files", "group/file.bin", "sources"), [], "file group/file.bin: it has no sources; name at least one."),
        (
            ("files", "group/file.bin", "sources"),
            [{"uri": "x"}],
            "file group/file.bin: a source has either `url` or `parts` (with `inside`, or not); found ['uri'].",
        ),
        (
            ("files", "group/file.bin", "sources"),
            [{"parts": [{"package": "other", "member": "x"}]}],
            "file group/file.bin: the package 'other' is not under `packages`.",
        ),
        (
            ("packages", "pack", "wheel"),
            "manylinux_2_28_x86_64",
            "package pack: wheel is 'manylinux_2_28_x86_64'; a package of pypi can name the tags of its wheel, "
            "as cp311-cp311-manylinux_2_28_x86_64.",
        ),
        (("packages", "pack", "registry"), "cargo", "package pack: registry is 'cargo'; allowed are pypi and npm."),
        (
            ("files", "group/file.bin", "size"),
            5,
            "file group/file.bin: found the fields ['about', 'bytes', 'licence', 'sha256', 'size', 'sources']; "
            "it needs ['about', 'bytes', 'licence', 'sha256', 'sources'].",
        ),
        (
            ("files", "../out.bin"),
            {},
            "file ../out.bin: a name is a relative path of letters, digits and ._- whose parts begin with a letter or digit.",
        ),
    ],
)
def test_a_mistake_is_named_with_its_entry(path: tuple[str, ...], value: object, message: str) -> None:
    tree = yaml.safe_load(yaml.safe_dump(GOOD))
    branch = tree
    for key in path[:-1]:
        branch = branch[key]
    branch[path[-1]] = value
    with pytest.raises(CatalogError) as caught:
        parse_catalog(yaml.safe_dump(tree))
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["", "[]", "files: {}", "packages: [1]\nfiles: {}", "a: b: c"])
def test_what_is_no_catalogue_is_refused(text: str) -> None:
    with pytest.raises(CatalogError, match="The catalogue of weights"):
        parse_catalog(text)
