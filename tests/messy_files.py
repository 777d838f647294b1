"""Small files, most of them with something wrong, that the tests of mistakes give to the commands."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

GOOD = "n,x,kind,y\n" + "".join(f"{i * i},{i % 7 / 2},{'uvw'[i % 3]},{'ab'[i % 2]}\n" for i in range(30))
LABELS = np.array(list("ab") * 15)
IMAGES = np.arange(30 * 4, dtype=np.uint8).reshape(30, 2, 2)

TEXTS = {
    "good.csv": GOOD,
    "other.csv": GOOD.replace("841", "842"),
    "empty.csv": "",
    "blank.csv": " \n\n",
    "header.csv": "n,x,kind,y\n",
    "semicolons.csv": GOOD.replace(",", ";"),
    "commas.tsv": GOOD,
    "bars.csv": GOOD.replace(",", "|"),
    "long-row.csv": GOOD + "1,2,u,a,5\n",
    "short-row.csv": GOOD + "1,2\n",
    "open-quote.csv": GOOD + '1,2,u,"a\n',
    "twice.csv": GOOD.replace("n,x", "x,x"),
    "constant.csv": GOOD.replace(",b\n", ",a\n"),
    "rare.csv": GOOD + "1,2,u,c\n1,3,u,c\n",
    "repeated.csv": GOOD + "1,2,u,c\n" * 4,
    "no-labels.csv": "n,y\n1,\n2,?\n3,NA\n",
    "all-missing.csv": "my size," + GOOD.replace("\n", "\n?,").removesuffix("?,"),
    "infinite.csv": GOOD.replace("841,", "inf,").replace("784,", "-inf,"),
    "slips.csv": GOOD.replace("841,", "841 cm,"),
    "thousands.csv": GOOD.replace("841,", '"1,841",').replace("784,", '"1,784",'),
    "many-classes.csv": "x,y\n" + "".join(f"{i},{i % 11}\n" for i in range(30)),
    "numbers.csv": "x,y\n" + "".join(f"{i},{i * 1.5}\n" for i in range(30)),
    "only-target.csv": "y\n" + "a\nb\n" * 9,
    "constant-columns.csv": "x,z,y\n" + "".join(f"1,k,{'ab'[i % 2]}\n" for i in range(30)),
    "late-class.csv": "x,y\n" + "".join(f"{i * i},{'ab'[i >= 25]}\n" for i in range(30)),
    "new-label.csv": "n,x,kind,y\n1,2,u,c\n",
    "lacks-x.csv": "n,kind,y\n1,u,a\n",
    "lacks-kind.csv": "n,x\n1,2\n",
    "text-in-x.csv": "n,x,kind\n1,2,u\n3,tall,v\n",
    "infinite-x.csv": "n,x,kind\n1,inf,u\n",
}


def write_files(folder: Path) -> None:
    """Write every file into ``folder``."""
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    (folder / "folder.csv").mkdir()
    (folder / "full").mkdir()
    (folder / "full" / "notes.txt").write_text("not empty")
    (folder / "table.doc").write_text(GOOD)
    (folder / "latin.csv").write_bytes(GOOD.replace("kind", "größe").encode("cp1252"))
    (folder / "utf16.csv").write_bytes(GOOD.encode("utf-16"))
    (folder / "utf16-no-mark.csv").write_bytes(GOOD.encode("utf-16-le"))
    (folder / "zero.csv").write_bytes(GOOD.replace("841", "8\0").encode())
    (folder / "sheet.csv").write_bytes(b"PK\x03\x04\xff\xfe")
    (folder / "zipped.csv").write_bytes(gzip.compress(GOOD.encode(), mtime=0))
    (folder / "cut.csv.gz").write_bytes(gzip.compress(GOOD.encode(), mtime=0)[:-9])
    (folder / "plain.csv.gz").write_text(GOOD)
    (folder / "text.parquet").write_text(GOOD)
    write_arrays(folder)


def write_arrays(folder: Path) -> None:
    """Write the NPZ files."""
    broken = IMAGES.astype(np.float32)
    broken[3] = np.nan
    arrays = {
        "images": {"x": IMAGES, "y": LABELS},
        "wide": {"x": np.zeros((5, 3, 3)), "y": LABELS[:5]},
        "pickled": {"x": IMAGES, "y": LABELS.astype(object)},
        "one-hot": {"x": IMAGES, "y": np.eye(2)[np.arange(30) % 2]},
        "too-few-labels": {"x": IMAGES, "y": LABELS[:29]},
        "no-x": {"images": IMAGES, "y": LABELS},
        "no-y": {"x": IMAGES},
        "flat": {"x": np.arange(30), "y": LABELS},
        "words": {"x": np.full((30, 2), "a"), "y": LABELS},
        "none": {"x": IMAGES[:0], "y": LABELS[:0]},
        "nan": {"x": broken, "y": LABELS},
    }
    for name, parts in arrays.items():
        np.savez(folder / f"{name}.npz", **parts)
    (folder / "text.npz").write_text(GOOD)
