# SPDX-License-Identifier: Apache-2.0
"""For tools that still ask for it; pbr reads setup.cfg."""

import setuptools

setuptools.setup(setup_requires=["pbr>=6.1.1"], pbr=True)
