"""A TOML file is read as any editor saves it; what cannot be read gets a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfcourse.errors import UserError
from tfcourse.files.toml_file import read_toml
from tfcourse.space.course import default_space
from tfcourse.space.first_settings import read_first_settings
from tfcourse.space.space_file import read_space

TEXT = 'dropout = 0.0 # größe\noptimizer = ["adam"]\n'


@pytest.mark.parametrize(
    "data", [TEXT.encode(), TEXT.encode("utf-8-sig"), TEXT.replace("\n", "\r\n").encode("utf-8-sig")]
)
def test_with_and_without_a_byte_order_mark(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.toml").write_bytes(data)
    assert read_toml(tmp_path / "t.toml", "--space") == {"dropout": 0.0, "optimizer": ["adam"]}
    assert read_space(tmp_path / "t.toml")["optimizer"].values == ("adam",)


def test_first_settings_with_a_mark(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_bytes(b"\xef\xbb\xbf[[setting]]\r\nlearning_rate = 0.001\r\n")
    assert read_first_settings(tmp_path / "t.toml", default_space()) == [{"learning_rate": 0.001}]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (TEXT.encode("utf-16"), "is UTF-16, but TOML is always UTF-8; save it as UTF-8."),
        (TEXT.encode("utf-16-le"), "is UTF-16, but TOML is always UTF-8; save it as UTF-8."),
        (TEXT.encode("cp1252"), "is not UTF-8 (byte 18); save it as UTF-8."),
        (b"a = = 1", "is not TOML: Invalid value (at line 1, column 5)."),
        (
            b"dropout = " + b"1" * 5000,
            "is not TOML: Exceeds the limit (4300 digits) for integer string conversion: value has 5000 digits.",
        ),
        (b"dropout = " + b"[" * 20000, "is not TOML that can be read: its brackets are nested too deep."),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, data: bytes, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.toml").write_bytes(data)
    for flag, read in (("--space", read_space), ("--first", lambda path: read_first_settings(path, default_space()))):
        with pytest.raises(UserError) as caught:
            read("t.toml")
        assert str(caught.value) == f"{flag}: 't.toml' {reason}"
