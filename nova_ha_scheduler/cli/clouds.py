# SPDX-License-Identifier: Apache-2.0
"""From which cloud a command takes its picture: the live one, a file, or one line."""

import argparse
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from oslo_config import cfg

from nova_ha_scheduler.cli import progress
from nova_ha_scheduler.clock import SystemClock
from nova_ha_scheduler.cluster import snapshot, synthetic, text
from nova_ha_scheduler.cluster.openstack import whole
from nova_ha_scheduler.cluster.openstack.api import Api
from nova_ha_scheduler.cluster.openstack.whole import Closeness
from nova_ha_scheduler.cluster.picture import Picture
from nova_ha_scheduler.cluster.snapshot import BadFile
from nova_ha_scheduler.service import conf as trigger_conf
from nova_ha_scheduler.service import parts


def arguments(add: Callable[..., Any]) -> None:
    """Declare --from-file and --synthetic."""
    add(
        "--from-file",
        metavar="FILE",
        type=Path,
        help="a cloud that was kept with nova-ha snapshot, or one as a short text "
        "(YAML); without, the cloud as it is now",
    )
    add(
        "--synthetic",
        metavar="LINE",
        help=f"a cloud that is made up, for example '{synthetic.FORMS[0]}, 70 %% full'",
    )


def is_live(args: argparse.Namespace) -> bool:
    return args.from_file is None and args.synthetic is None


def load(
    conf: cfg.ConfigOpts,
    args: argparse.Namespace,
    closeness: Closeness = Closeness.PROVIDERS,
) -> Picture:
    """The whole cloud that the arguments name.

    :param closeness: of a live one.
    :raises BadFile, synthetic.BadLine, cfg.Error, CloudUnreachable: a sentence.
    """
    if args.from_file is not None and args.synthetic is not None:
        raise BadFile("--from-file and --synthetic: give one of them")
    if args.synthetic is not None:
        return synthetic.parse(args.synthetic)
    if args.from_file is not None:
        return read(args.from_file)
    with asked(conf) as api:
        policy = trigger_conf.options(conf).policy
        return whole.take(api, SystemClock(), closeness, policy)


@contextlib.contextmanager
def asked(conf: cfg.ConfigOpts) -> Iterator[Api]:
    """The cloud as it is now; who waits for its answers sees how far they are."""
    api = parts.cloud(conf)
    with progress.shown(lambda: api.progress):
        yield api


def read(path: Path) -> Picture:
    """A snapshot, or a cloud as text. :raises BadFile: it names the file."""
    try:
        found = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        is_json = found.lstrip().startswith("{")
        return snapshot.load(found) if is_json else text.load(found)
    except BadFile as error:
        raise BadFile(f"{path}: {error}") from error
