"""Write recordings in the formats of electrocardiographs, and damage them."""

import base64
import binascii
import struct
import warnings
import zlib

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pyedflib import EdfWriter

from sk_erts.datasets import STANDARD_LEADS
from sk_erts.exceptions import RecordError

# Numbers of the standard leads in SCP-ECG, in their usual order.
SCP_NUMBERS = (1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8)


def steps(n_leads=3, n_times=500, seed=0):
    """Return whole numbers (n_leads, n_times) that wander as an ECG does."""
    walk = np.random.default_rng(seed).normal(0, 20, (n_leads, n_times))
    return np.round(walk.cumsum(axis=1)).astype(np.int16)


def write_edf(path, samples, names, *, fs=250, unit="uV", annotations=()):
    """Write steps of 1 `unit`, one row per lead."""
    fs = [fs] * len(names) if np.ndim(fs) == 0 else fs
    with EdfWriter(str(path), len(names)) as writer:
        for k, name in enumerate(names):
            head = {"label": name, "dimension": unit, "sample_frequency": fs[k]}
            head |= {"physical_min": -32768, "physical_max": 32767}
            head |= {"digital_min": -32768, "digital_max": 32767}
            writer.setSignalHeader(k, head | {"transducer": "", "prefilter": ""})
        writer.writeSamples([np.asarray(row, dtype=np.float64) for row in samples])
        for onset, text in annotations:
            writer.writeAnnotation(onset, 1, text)


def dicom_channel(number, unit="uV", sensitivity=2.5, **more):
    """Describe a channel of a waveform: a lead by its number in SCP-ECG."""
    channel, source, units = Dataset(), Dataset(), Dataset()
    source.CodeValue = f"5.6.3-9-{number}"
    source.CodingSchemeDesignator = "SCPECG"
    source.CodeMeaning = "some words"
    channel.ChannelSourceSequence = [source]
    channel.WaveformBitsStored = 16
    if unit is not None:
        units.CodeValue, units.CodingSchemeDesignator = unit, "UCUM"
        units.CodeMeaning = unit
        channel.ChannelSensitivityUnitsSequence = [units]
    if sensitivity is not None:
        channel.ChannelSensitivity = sensitivity
    for key, value in more.items():
        setattr(channel, key, value)
    return channel


def dicom_group(samples, channels, fs=500, **more):
    """Return a multiplex group of 16-bit samples (n_leads, n_times)."""
    group = Dataset()
    group.MultiplexGroupLabel = "RHYTHM"
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = samples.shape
    group.SamplingFrequency = fs
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.ChannelDefinitionSequence = channels
    group.add_new("WaveformData", "OW", samples.T.astype("<i2").tobytes())
    for key, value in more.items():
        setattr(group, key, value)
    return group


def write_dicom(path, groups):
    """Write groups of waveforms."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    dataset.SOPInstanceUID = generate_uid()
    dataset.PatientName = "Nobody"
    dataset.WaveformSequence = list(groups)
    dataset.save_as(path, enforce_file_format=True)


def muse_lead(name, samples, unit="MICROVOLTS", checksum=None, **more):
    """Return the element of a lead in steps of 4.88 `unit`."""
    data = np.asarray(samples, dtype="<i2").tobytes()
    fields = {
        "LeadSampleCountTotal": len(samples),
        "LeadAmplitudeUnitsPerBit": 4.88,
        "LeadAmplitudeUnits": unit,
        "LeadID": name,
        "LeadOffsetFirstSample": 0,
        "LeadSampleSize": 2,
        "LeadDataCRC32": zlib.crc32(data) if checksum is None else checksum,
        # MUSE breaks its lines.
        "WaveFormData": "\n".join(base64.encodebytes(data).decode().split()),
    } | more
    inner = "".join(f"<{key}>{value}</{key}>\n" for key, value in fields.items())
    return f"<LeadData>\n{inner}</LeadData>\n"


def muse(leads, fs=500, kind="Rhythm", exponent=0):
    """Return a Waveform of leads."""
    return (
        f"<Waveform><WaveformType>{kind}</WaveformType><SampleBase>{fs}</SampleBase>"
        f"<SampleExponent>{exponent}</SampleExponent>{''.join(leads)}</Waveform>"
    )


def write_muse(path, *waveforms):
    """Write waveforms as MUSE exports them."""
    path.write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        '<!DOCTYPE RestingECG SYSTEM "restecg.dtd">\n<RestingECG><PatientDemographics>'
        "<PatientLastName>M\u00fcller</PatientLastName></PatientDemographics>"
        f"{''.join(waveforms)}</RestingECG>",
        encoding="latin-1",
    )


def aecg_lead(name, samples, *, origin=0, scale=5, unit="uV", origin_unit=None):
    """Return the sequence of a lead."""
    return (
        f'<component><sequence><code code="MDC_ECG_LEAD_{name}"/>'
        f'<value xsi:type="SLIST_PQ"><origin value="{origin}" '
        f'unit="{origin_unit or unit}"/><scale value="{scale}" unit="{unit}"/>'
        f"<digits>{' '.join(map(str, samples))}</digits></value></sequence></component>"
    )


def aecg_times(step="0.002", unit="s"):
    """Return the sequence of times."""
    return (
        '<component><sequence><code code="TIME_ABSOLUTE"/><value xsi:type="GLIST_TS">'
        f'<head value="20260101101530.000"/><increment value="{step}" unit="{unit}"/>'
        "</value></sequence></component>"
    )


def aecg_series(sequences, derived=""):
    """Return a series of sequences."""
    return (
        f"<component><series><component><sequenceSet>{''.join(sequences)}"
        f"</sequenceSet></component>{derived}</series></component>"
    )


def write_aecg(path, *series):
    """Write series as an annotated ECG."""
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<AnnotatedECG xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"{''.join(series)}</AnnotatedECG>",
        encoding="utf-8",
    )


def scp_section(number, body):
    """Return a section with its head; bodies have an even length."""
    body += b"\0" * (len(body) % 2)
    mark = b"" if number else b"SCPECG"
    head = struct.pack("<HIBB6s", number, 16 + len(body), 20, 20, mark)
    return struct.pack("<H", binascii.crc_hqx(head + body, 0xFFFF)) + head + body


def scp_file(bodies):
    """Return a file of sections, by their numbers; absent ones are listed too."""
    numbers = sorted({*range(1, 12), *bodies})
    at = 6 + 16 + 10 * (len(numbers) + 1)
    pointers = [(0, at - 6, 7)]
    sections = [scp_section(k, bodies[k]) if k in bodies else b"" for k in numbers]
    for number, section in zip(numbers, sections, strict=True):
        pointers.append((number, len(section), at + 1 if section else 0))
        at += len(section)
    first = scp_section(0, b"".join(struct.pack("<HII", *row) for row in pointers))
    rest = struct.pack("<I", at) + first + b"".join(sections)
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def scp_leads(numbers, n_times, flags=4, first=1):
    """Return the body of section 3."""
    rows = (
        struct.pack("<IIB", first, first + n_times - 1, number) for number in numbers
    )
    return struct.pack("<BB", len(numbers), flags) + b"".join(rows)


def scp_rhythm(samples, *, n_differences=0, code=None, step=2500, us=2000, bimodal=0):
    """Return the body of section 6; `code` makes bytes of the numbers of a lead."""
    parts = []
    for row in samples:
        x = row.astype(np.int64)
        if n_differences:
            x[n_differences:] = np.diff(x, n=n_differences)
            x[1:n_differences] = row[1:n_differences]
        x = (x + 32768) % 65536 - 32768
        parts.append(x.astype("<i2").tobytes() if code is None else code(x))
    head = struct.pack("<HHBB", step, us, n_differences, bimodal)
    return head + struct.pack(f"<{len(parts)}H", *map(len, parts)) + b"".join(parts)


def huffman(values):
    """Code numbers by the table of the standard."""
    bits = ""
    for value in map(int, values):
        if value == 0:
            bits += "0"
        elif abs(value) <= 8:
            bits += "1" * abs(value) + "0" + str(int(value < 0))
        elif -128 <= value <= 127:
            bits += "1111111110" + f"{value % 256:08b}"
        else:
            bits += "1111111111" + f"{value % 65536:016b}"
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[k : k + 8], 2) for k in range(0, len(bits), 8))


def in_standard_order(record):
    """Return whether a record has the twelve leads as they are listed everywhere."""
    return record.lead_names == STANDARD_LEADS


def check_damage(path, read, n=300, seed=0, stumps=(0, 1, 30, 200)):
    """Read a file cut short and changed at random: it is read, or refused as ours.

    What is left of it in a stump of so many bytes is always refused. Returns how many
    of the others were.
    """
    sound = path.read_bytes()
    rng = np.random.default_rng(seed)
    messages = []
    for k in range(n):
        data = bytearray(sound)
        match k % 4:
            case 0:  # cut short
                del data[int(rng.integers(len(data))) :]
            case 1:  # single bytes, most of them near the beginning
                for at in (len(data) * rng.random(4) ** 3).astype(int):
                    data[at] = rng.integers(256)
            case 2:  # a stretch of noise
                at = int(rng.integers(len(data)))
                data[at : at + 8] = rng.bytes(len(data[at : at + 8]))
            case 3:  # a stretch that is lost or doubled
                at = int(len(data) * rng.random() ** 2)
                length = int(rng.integers(1, 64))
                stretch = data[at : at + length]
                data[at : at + length] = stretch * 2 if rng.random() < 0.5 else b""
        path.write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                record = read(path)
            except RecordError as error:
                messages.append(str(error))
            else:
                assert record.signal.dtype == np.float32
                assert np.isfinite(record.signal).all()
                assert 0 < record.fs < np.inf
    for n_bytes in stumps:
        path.write_bytes(sound[:n_bytes])
        with pytest.raises(RecordError, match=path.name):
            read(path)
    assert all(str(path) in message for message in messages)
    return len(messages)
