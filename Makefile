# SPDX-License-Identifier: Apache-2.0
# Everything runs in a virtual environment of its own for each OpenStack release,
# made on first use from constraints/$(RELEASE).txt.

RELEASES = 2025.1 2025.2 2026.1 2026.2
RELEASE ?= 2026.2
PYTHON ?= python3

# The trigger needs a younger oslo.service than Nova 2025.1 was made with; it does not
# run in Nova's environment anyway.
EXTRAS = nova,evacuator,mysql,postgresql,etcd,redis
ifeq ($(RELEASE),2025.1)
EXTRAS = nova
endif

VENV = .venv-$(RELEASE)
BIN = $(VENV)/bin

.PHONY: help environment docs demo test fullstack chaos hostile soak links placement upgrades packages installed real-packages lint notes unit functional working waiting matrix bench decisions ci-long pictures diagrams sample freeze clean

help:
	@echo 'make demo        plugin and trigger at work in a real Nova (about 90 s)'
	@echo 'make demo ARGS=--play   a playground, in which you kill hosts (ARGS=--keep: after the demo)'
	@echo 'make demo REAL=1   a guest on libvirt and QEMU: its screen before and after a power cut'
	@echo 'make test        lint, unit tests and scenarios, functional tests on a real Nova'
	@echo 'make docs        a site of all pages, in build/docs; a broken link is an error'
	@echo 'make fullstack   hosts die in an OpenStack of real processes (about 20 minutes)'
	@echo 'make fullstack REAL=1   the same on libvirt, QEMU, glance, neutron and cinder'
	@echo 'make chaos SEED=1 MINUTES=3   hosts die there at random while other things fail'
	@echo 'make chaos REAL=1 SEED=1-5   the same on real parts, with a look at the disks'
	@echo 'make hostile SEED=1-20   two hosts die while all peers of the trigger answer anything'
	@echo 'make soak MINUTES=60   four hours of virtual time, then so many minutes of deaths and returns'
	@echo 'make placement   the planner beside a real Placement, on 500 random clouds'
	@echo 'make links       hosts die while the trigger sees the cloud, its journal or a BMC badly'
	@echo 'make upgrades    the trigger, or Nova, becomes a newer one in the middle of a recovery'
	@echo 'make matrix      functional tests on Nova $(RELEASES)'
	@echo 'make bench       the cost of plugin and trigger as ratios, the planner in seconds (build/bench.json)'
	@echo 'make bench ARGS=--short   whether the benchmark works, about a minute (make test does it, too)'
	@echo 'make decisions KEEP=DIR      before a refactoring: keep what is decided in many lives'
	@echo 'make decisions AGAINST=DIR   after each of its steps: nothing else is decided'
	@echo 'make ci-long     what CI has no time for: every moment of the crash tests, fullstack, chaos, hostile, soak, links, upgrades, matrix, all Pythons, bench (five hours)'
	@echo 'make pictures    have a browser take the pictures of the page, and draw the diagrams, in docs/pictures'
	@echo 'make sample      generate the samples of the options in etc/nova-ha-scheduler'
	@echo 'make functional RELEASE=2025.1   (or bench) on that OpenStack release'

# pip reads the versions from constraints/, which hold what the tests passed with.
$(VENV)/ready: constraints/$(RELEASE).txt test-requirements.txt setup.cfg
	@echo 'Setting up $(VENV) with Nova of OpenStack $(RELEASE) (a minute or two, once) ...'
	@rm -rf $(VENV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; call make with PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q -c constraints/$(RELEASE).txt \
		-r test-requirements.txt -e '.[$(EXTRAS)]'
	@touch $@

environment: $(VENV)/ready

ifeq ($(REAL),1)
demo: packages real-packages $(VENV)/fullstack
	@$(BIN)/python -W ignore -m demo --real $(ARGS)
else
demo: $(VENV)/ready
	@$(BIN)/python -m demo $(ARGS)
endif

# Two suites that mostly wait go on beside two that work.
test: packages $(VENV)/fullstack $(VENV)/docs
	@echo 'Many minutes; each part is shown when it has ended ...'
	@$(MAKE) --no-print-directory -j2 waiting working

# The trigger's peers: databases, fence agents, a broker (bindep.txt). The tests start
# their own; Debian would start each as a service, and fail where that fails.
REMOTED = .packages/pacemaker-remote/usr/sbin/pacemaker-remoted
# Of prometheus, its promtool alone.
PROMTOOL = .packages/prometheus/usr/bin/promtool
# A browser for the page, with the libraries that this machine lacks.
CHROMIUM = .packages/chromium/usr/lib/chromium/chromium
packages: installed $(REMOTED) $(PROMTOOL) $(CHROMIUM)
installed: PROFILE = test
# What the full stack needs where it has no stand-ins.
real-packages: PROFILE = real
installed real-packages:
	@command -v dpkg-query >/dev/null || exit 0; \
	wanted=$$(sed -n 's/ \[$(PROFILE).*//p' bindep.txt); missing=; \
	for package in $$wanted; do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' \
		|| missing="$$missing $$package"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	[ "$$(id -u)" = 0 ] || { echo "Needed: sudo apt-get install$$missing"; exit 1; }; \
	echo "Installing$$missing ..."; \
	policy=/usr/sbin/policy-rc.d; \
	if [ ! -e $$policy ]; then \
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT; trap 'exit 1' INT TERM; \
		printf '#!/bin/sh\nexit 101\n' > $$policy; chmod +x $$policy; \
	fi; \
	apt-get update -q && DEBIAN_FRONTEND=noninteractive \
		apt-get install -qy --no-install-recommends $$missing

# A remote node of Pacemaker: the package conflicts with pacemaker, its program does not.
$(REMOTED): | installed
	@tests/lib/unpacked.sh .packages/pacemaker-remote pacemaker-remote
$(PROMTOOL): | installed
	@tests/lib/unpacked.sh .packages/prometheus prometheus
$(CHROMIUM): | installed
	@command -v chromium >/dev/null || tests/lib/unpacked.sh .packages/chromium chromium needed

# keystone, glance, neutron and cinder are needed here alone.
$(VENV)/fullstack: $(VENV)/ready fullstack-requirements.txt
	@$(BIN)/python -m pip install -q -c constraints/$(RELEASE).txt -r fullstack-requirements.txt
	@touch $@

# Sphinx is needed by the pages alone.
$(VENV)/docs: $(VENV)/ready docs-requirements.txt
	@$(BIN)/python -m pip install -q -c constraints/$(RELEASE).txt -r docs-requirements.txt
	@touch $@

# REAL=1: on libvirt, QEMU, glance, neutron and cinder alone; REAL=0: on stand-ins alone;
# else on both, where the packages for the first are there. 5: no test was chosen.
REAL ?=
FULLSTACK = $(BIN)/python -m pytest -q $(FLAGS) tests/fullstack
ifeq ($(REAL),1)
fullstack chaos: real-packages
endif
fullstack: packages $(VENV)/fullstack
ifneq ($(REAL),1)
	$(FULLSTACK) $(ARGS)
endif
ifeq ($(REAL),1)
	$(FULLSTACK) --real $(ARGS)
else ifneq ($(REAL),0)
	@if $(BIN)/python -m tests.lib.real.needs; then \
		$(FULLSTACK) --real $(ARGS) || [ $$? = 5 ]; \
	else echo 'Not run on real parts: these are missing (make fullstack REAL=1)'; fi
endif

SEED ?= 1
MINUTES ?= 3

# SEED=1-10: one after another, MINUTES each; ARGS='--results FILE': those that are in
# the file are not run again.
chaos: packages $(VENV)/fullstack
	@$(BIN)/python -W ignore -m tests.lib.chaos --seed $(SEED) --minutes $(MINUTES) \
		$(if $(filter 1,$(REAL)),--real) $(ARGS)

# A cloud in one process, a broker, and a proxy before each peer.
hostile: packages $(VENV)/ready
	@$(BIN)/python -W ignore -m tests.lib.siege --seed $(SEED) $(ARGS)

soak: MINUTES = 60
soak: packages $(VENV)/ready
	@$(BIN)/python -W ignore -m tests.integration.soak --minutes $(MINUTES) $(ARGS)

links: packages $(VENV)/ready
	$(BIN)/python -m pytest -q $(FLAGS) tests/integration/links $(ARGS)

placement: export CLOUDS ?= 500
placement: $(VENV)/ready
	$(BIN)/python -m pytest -q $(FLAGS) tests/integration/placement/test_arithmetic.py $(ARGS)

# The older trigger is made from this repository's history, the older Nova by make.
upgrades: packages $(VENV)/ready
	@$(MAKE) --no-print-directory environment RELEASE=2026.1
	$(BIN)/python -m pytest -q $(FLAGS) tests/integration/upgrades $(ARGS)

lint: notes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

# A warning is an error, and so is a link or an anchor that leads nowhere. Every time all
# of it: what is kept of the last time knows of no file that has gone.
docs: $(VENV)/docs
	@rm -rf build/docs
	@$(BIN)/python -m sphinx -q -b html -W --keep-going -E -d build/doctrees docs build/docs
	@echo 'The pages: build/docs/index.html'

notes: $(VENV)/ready
	@if [ -e .git ]; then $(BIN)/reno -q lint; else echo 'Release notes: not linted, reno wants .git'; fi

unit: $(VENV)/ready
	$(BIN)/python -m pytest -q tests/unit tests/scenarios

# A process has one cloud in its life, so each of these is a process; two at a time,
# each shown when it has ended. The longest stand first.
SUITES = moves hosts cloud scale beside
MOVES = $(patsubst %,tests/integration/plugin/test_%.py,operations scheduling storage_zone weighers)
suite-moves: FILES = $(MOVES)
suite-hosts: FILES = $(filter-out $(MOVES),$(wildcard tests/integration/plugin/test_*.py))
suite-cloud: FILES = tests/integration/cloud
suite-scale: FILES = tests/integration/scale
# The wheel, in an environment of this release's Nova.
BESIDE = tests/integration/install/test_beside_nova.py
suite-beside: FILES = $(BESIDE)

# The evacuation trigger, on a real Nova and against its other peers. Who is dead or
# leads is seen by waiting, which takes little of a core.
WAITING = trigger service leadership demo hang links soak pacemaker
TRIGGER = plans placement fits crash install maintenance peers bench monitoring
# What is worked out here is what Placement says, on random clouds; and on a real Nova.
suite-placement: FILES = tests/integration/placement/test_arithmetic.py
suite-fits: FILES = tests/integration/placement/test_nova.py
suite-crash: FILES = tests/integration/crash
PLANS = $(patsubst %,tests/integration/trigger/test_%.py,check plan simulate whole)
suite-plans: FILES = $(PLANS)
suite-trigger: FILES = $(filter-out $(PLANS),$(wildcard tests/integration/trigger/test_*.py))
# As users have it: built, installed, started. What cannot be done here is named.
# On the Python that runs this; PYTHONS=all: on each that is here, minutes more for each.
suite-install: FLAGS += -rs
suite-install: export PYTHONS := $(PYTHONS)
suite-install: FILES = $(filter-out $(BESIDE),$(wildcard tests/integration/install/test_*.py))
suite-maintenance: FILES = tests/integration/maintenance
# Prometheus reads metrics, rules and board; a browser shows the page.
suite-monitoring: FILES = tests/integration/monitoring
# Each part of make bench in its short form.
suite-bench: FILES = tests/integration/bench
suite-bench: $(VENV)/fullstack
# The playground of make demo ARGS=--keep.
suite-demo: FILES = tests/integration/demo
suite-leadership: FILES = tests/integration/leadership
# It hangs at each call that leaves its process; its links are bad; it goes on for hours.
suite-hang: FILES = tests/integration/hang
suite-links: FLAGS += -m short
suite-links: FILES = tests/integration/links
suite-soak: FILES = tests/integration/soak
# The process around the trigger: how it starts, reloads, is watched, and ends.
suite-service: FILES = tests/integration/service
# A real cluster fences its nodes.
suite-pacemaker: FILES = tests/integration/pacemaker
suite-pacemaker: FLAGS =
# Of make upgrades, what an older version has left; it has the older version itself.
suite-peers: FILES = tests/integration/journal tests/integration/fencing tests/integration/hostile tests/integration/keys tests/integration/witnesses tests/integration/upgrades/test_old_journal.py
suite-peers: FLAGS =

# A cloud has a log of its own; pytest need not hold all of it in memory, too.
FLAGS = -p no:logging

functional: $(VENV)/ready
	@echo 'On the Nova of OpenStack $(RELEASE), some minutes: $(SUITES) ...'
	@$(MAKE) --no-print-directory -j2 -O $(SUITES:%=suite-%)

# Each is a make of its own, whose jobs are not counted by the other.
ALONE = MAKEFLAGS= $(MAKE) --no-print-directory RELEASE=$(RELEASE) PYTHON=$(PYTHON)
working: $(VENV)/ready
	@$(ALONE) -j2 -O lint docs unit $(TRIGGER:%=suite-%) $(SUITES:%=suite-%)
waiting: $(VENV)/ready
	@$(ALONE) -j2 -O $(WAITING:%=suite-%)

suite-%: $(VENV)/ready
	$(BIN)/python -m pytest -q $(FLAGS) $(FILES)

matrix:
	@for release in $(RELEASES); do \
		echo "== OpenStack $$release"; \
		$(MAKE) --no-print-directory functional RELEASE=$$release || exit 1; \
	done

bench: packages $(VENV)/fullstack
	@$(BIN)/python -m bench $(ARGS)

# That a refactoring changes no decision (docs/testing.md).
decisions: $(VENV)/ready
	@[ -n '$(KEEP)$(AGAINST)' ] || { echo 'Name KEEP=DIR, or AGAINST=DIR'; exit 1; }
	@[ -z '$(KEEP)' ] || nice $(BIN)/python -m tests.lib.decisions keep '$(KEEP)' $(ARGS)
	@[ -z '$(AGAINST)' ] || nice $(BIN)/python -m tests.lib.decisions compare '$(AGAINST)' $(ARGS)

# What CI has no time for.
ci-long:
	@$(MAKE) --no-print-directory unit EVERY_MOMENT=1
	@$(MAKE) --no-print-directory fullstack REAL=0
	@$(MAKE) --no-print-directory fullstack REAL=1
	@$(MAKE) --no-print-directory chaos SEED=1-3
	@$(MAKE) --no-print-directory chaos REAL=1 SEED=1-5
	@$(MAKE) --no-print-directory hostile SEED=1-20
	@$(MAKE) --no-print-directory soak
	@$(MAKE) --no-print-directory links
	@$(MAKE) --no-print-directory placement
	@$(MAKE) --no-print-directory upgrades
	@$(MAKE) --no-print-directory matrix
	@$(MAKE) --no-print-directory suite-install PYTHONS=all
	@$(MAKE) --no-print-directory bench

# The page, as docs/monitoring.md shows it, and the diagrams of all pages.
pictures: diagrams packages $(VENV)/ready
	$(BIN)/python -W ignore -m tests.lib.night docs/pictures

# Those whose text has changed (Debian: graphviz).
diagrams: $(VENV)/ready
	$(BIN)/python -m tests.lib.drawn

sample: $(VENV)/ready
	$(BIN)/oslo-config-generator --config-file etc/config-generator.conf
	$(BIN)/oslo-config-generator --config-file etc/nova-ha-config-generator.conf

# After a change of the requirements: what is installed now, once the tests passed.
freeze: $(VENV)/ready
	@{ echo '# What the tests passed with on OpenStack $(RELEASE) (make freeze).'; \
	$(BIN)/python -m pip freeze --exclude-editable; } > constraints/$(RELEASE).txt

clean:
	rm -rf .venv-* .packages build dist *.egg-info
