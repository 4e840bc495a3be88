"""Small records in the WFDB format, written line by line; and ways to damage them."""

import re

import numpy as np

N_TIMES = 200


def steps(n_leads=2, n_times=N_TIMES, seed=0, largest=200):
    """Return steps of a converter, of shape (n_leads, n_times)."""
    rng = np.random.default_rng(seed)
    return rng.integers(-largest, largest, (n_leads, n_times)).astype("<i2")


def write(folder, name, samples, lines=None, record=None, dtype="<i2"):
    """Write steps of shape (n_leads, n_times), and a header with these lines.

    A line is what stands behind the name of the signal file.
    """
    n_leads, n_times = samples.shape
    if lines is None:
        lines = [f"16 200/mV 16 0 0 0 0 {lead}" for lead in ("I", "II", "V1")[:n_leads]]
    record = record or f"{name} {n_leads} 250 {n_times}"
    write_header(folder, name, record, *(f"{name}.dat {line}" for line in lines))
    (folder / f"{name}.dat").write_bytes(samples.T.astype(dtype).tobytes())
    return folder / name


def write_header(folder, name, *lines):
    """Write a header without signals of its own."""
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


def write_flac(folder, name, samples, lines):
    """Write steps of shape (n_leads, n_times) as FLAC."""
    import soundfile

    write(folder, name, samples, lines)
    with soundfile.SoundFile(
        folder / f"{name}.dat", "w", 250, len(samples), "PCM_16", format="FLAC"
    ) as file:
        file.write(samples.T.astype(np.int16))


def write_annotations(folder, name, *beats, end=b"\0\0"):
    """Write annotations at steps from the one before, each as (step, code)."""
    words = [code << 10 | step for step, code in beats]
    content = np.array(words, dtype="<u2").tobytes() + end
    (folder / f"{name}.atr").write_bytes(content)


def write_kinds(folder):
    """Write one record of each kind that the reader tells apart; return their names."""
    write(folder, "plain", steps())
    write(
        folder, "offset", steps(), ["16x1+24 1000(3)/uV 16 0 0 0 0 " + x for x in "ab"]
    )
    (folder / "offset.dat").write_bytes(
        b"\1" * 24 + (folder / "plain.dat").read_bytes()
    )
    frames = ["16x2:3 200/mV 16 0 0 0 0 I", "16x2 200/mV 16 0 0 0 0 II"]
    write(folder, "frames", steps(4), frames, "frames 2 125 200")
    packed = {"212": 2, "310": 3, "311": 3, "24": 3, "8": 2, "32": 4, "160": 2}
    for fmt in packed:
        lines = [f"{fmt} 200 12 0 5 0 0 {lead}" for lead in "ab"]
        write(folder, f"f{fmt}", steps(2, 400), lines, f"f{fmt} 2 250 200 10:00:00")
    write_flac(folder, "flac", steps(), [f"516 200/mV 16 0 0 0 0 {x}" for x in "ab"])
    write_segments(folder)


def write_segments(folder):
    """Write a record whose segments are alike, and one with a layout and gaps."""
    for k in range(2):
        write(folder, f"part{k}", steps(seed=k))
    write_header(folder, "fixed", "fixed/2 2 250 400", "part0 200", "part1 200")
    for k, leads in enumerate([("I", "II"), ("II",)]):
        lines = [f"16 200/mV 16 0 0 0 0 {lead}" for lead in leads]
        write(folder, f"bit{k}", steps(len(leads), seed=k), lines)
    layout = [f"~ 0 200/mV 16 0 0 0 0 {lead}" for lead in ("I", "II")]
    write_header(folder, "layout", "layout 2 250 0", *layout)
    pieces = ["layout 0", "~ 30", "bit0 200", "~ 10", "bit1 200"]
    write_header(folder, "varied", "varied/5 2 250 440", *pieces)


# What fields are replaced by, of all that has been seen in headers or breaks readers.
NASTY = (
    *(
        "0",
        "-1",
        "1",
        "~",
        "nan",
        "inf",
        "1e999",
        "1e-320",
        "999999999999999",
        "x0",
        "",
    ),
    *("9" * 5000, "16x0", "16x99999999", "8:9999999999", "212+999", "516", "310", "99"),
    *(
        "../x",
        "..",
        "a\0b",
        "a::b",
        "plain/9",
        "\u0661",
        "\xb5V",
        "200/",
        "0/mV",
        "(/mV",
    ),
    *("200(9e300)/mV", "200/mmHg", "2006", "12:00", "2020-01-01", "s3::x", "*", "#"),
)


def damage_text(rng, text):
    """Return a header with one to three changes."""
    for _ in range(rng.integers(1, 4)):
        fields = re.split(r"(\s+)", text)
        at = int(rng.integers(len(fields)))
        kind = rng.integers(5)
        if kind <= 2:
            fields[at] = NASTY[rng.integers(len(NASTY))]
        elif kind == 3:
            other = int(rng.integers(len(fields)))
            fields[at], fields[other] = fields[other], fields[at]
        else:
            fields[at : at + int(rng.integers(1, 9))] = []
        text = "".join(fields)
    return text


def damage_bytes(rng, content):
    """Return bytes of which some are others, absent, doubled or cut off."""
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        at, n = int(rng.integers(len(damaged) + 1)), int(rng.integers(1, 30))
        kind = rng.integers(4)
        if kind == 0:
            damaged[at : at + n] = rng.integers(0, 256, n, dtype=np.uint8).tobytes()
        elif kind == 1:
            del damaged[at : at + n]
        elif kind == 2:
            damaged[at:at] = damaged[at : at + n]
        else:
            damaged[at + n :] = b""
    return bytes(damaged)
