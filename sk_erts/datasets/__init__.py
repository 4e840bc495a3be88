"""ECG records to learn from: synthetic ones, and those of PhysioNet."""

from sk_erts.datasets._aecg import read_aecg
from sk_erts.datasets._any import read_any
from sk_erts.datasets._cinc2017 import load_cinc2017
from sk_erts.datasets._cinc2020 import load_cinc2020
from sk_erts.datasets._csv import read_csv
from sk_erts.datasets._dicom import read_dicom
from sk_erts.datasets._edf import read_edf
from sk_erts.datasets._fetch_cinc2017 import fetch_cinc2017
from sk_erts.datasets._fetch_cinc2021 import fetch_cpsc2018, fetch_georgia
from sk_erts.datasets._fetch_mitbih import fetch_mitbih
from sk_erts.datasets._fetch_ptbxl import fetch_ptbxl
from sk_erts.datasets._folder import read_records
from sk_erts.datasets._lazy import RecordArray
from sk_erts.datasets._leads import STANDARD_LEADS
from sk_erts.datasets._mat import read_mat
from sk_erts.datasets._mitbih import load_mitbih
from sk_erts.datasets._muse_xml import read_muse_xml
from sk_erts.datasets._open import open_records
from sk_erts.datasets._packed import PackedRecords, to_memmap
from sk_erts.datasets._ptbxl import load_ptbxl
from sk_erts.datasets._scp import read_scp
from sk_erts.datasets._shards import ShardedRecords, to_shards
from sk_erts.datasets._synthetic import make_ecg

__all__ = [
    "STANDARD_LEADS",
    "PackedRecords",
    "RecordArray",
    "ShardedRecords",
    "fetch_cinc2017",
    "fetch_cpsc2018",
    "fetch_georgia",
    "fetch_mitbih",
    "fetch_ptbxl",
    "load_cinc2017",
    "load_cinc2020",
    "load_mitbih",
    "load_ptbxl",
    "make_ecg",
    "open_records",
    "read_aecg",
    "read_any",
    "read_csv",
    "read_dicom",
    "read_edf",
    "read_mat",
    "read_muse_xml",
    "read_records",
    "read_scp",
    "to_memmap",
    "to_shards",
]
