"""A plugin for tests of programs: its space of two nodes is quickly traced."""

import darts_tf as dt

dt.cell_space("small", nodes=2, operations=["skip_connect", "sep_conv_3x3"])
