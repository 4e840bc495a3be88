"""Does a network learn as well from fewer electrocardiograms? Full data, DBPD, ERTS.

The same network is trained four times on the same records: on all of them in every
epoch; on those it still finds hard (progressive data dropout, DBPD); on the hard ones,
with labels softened where the record contradicts them (ERTS); and, as the control, on
all of them for no more gradients than ERTS took. One table and three figures tell the
rest. It is the command ``sk-erts benchmark``, which takes other data, networks and
parameters too.

    python examples/demo.py                     # synthetic records, four minutes
    python examples/demo.py --quick             # half a minute, a small network
    python examples/demo.py --ptbxl FOLDER      # real ones, two minutes per 2,000
"""

import argparse
import sys

from sk_erts.__main__ import main

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--ptbxl", metavar="FOLDER", help="folder of PTB-XL")
parser.add_argument("--quick", action="store_true", help="half a minute only")
parser.add_argument("--output", metavar="FOLDER", default="demo_output")
options = parser.parse_args()

words = ["benchmark", "--output", options.output]
if options.ptbxl:
    words += [f"ptbxl:{options.ptbxl}", "--read", "single_label=true"]
if options.quick:
    words.append("--quick")
sys.argv = ["sk-erts", *words]
main()
