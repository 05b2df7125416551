# SPDX-License-Identifier: Apache-2.0
"""build.py PRESET [TARGET…]: configures and builds one preset."""

import sys

import steps

try:
    steps.build(*sys.argv[1:])
except steps.StepFailed as failure:
    steps.fail(f"{failure} failed")
