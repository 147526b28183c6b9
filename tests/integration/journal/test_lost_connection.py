# SPDX-License-Identifier: Apache-2.0
"""What SQLAlchemy says of its own of a connection that the server has ended."""

import subprocess
import sys

import sqlalchemy as sa

from tests.lib.waiting import PATIENCE

READER = """
import sys
import sqlalchemy as sa
from oslo_log import log as logging
from nova_ha_scheduler.service import startup
conf = startup.load("nova-ha-evacuator", sys.argv[1:])
logging.setup(conf, "nova-ha-evacuator")
connection = sa.create_engine(conf.database.connection).raw_connection()
print(connection.thread_id(), flush=True)
sys.stdin.readline()
connection.close()
logging.getLogger("sqlalchemy").error("back in the pool")
"""


def test_a_lost_connection_has_no_traceback(mariadb, tmp_path):
    conf_file = tmp_path / "nova-ha.conf"
    conf_file.write_text(f"[database]\nconnection = {mariadb}/test\n")
    reader = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", READER, f"--config-file={conf_file}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    number = int(reader.stdout.readline())
    engine = sa.create_engine(f"{mariadb}/test")
    with engine.begin() as connection:
        connection.execute(sa.text(f"KILL CONNECTION {number}"))
    engine.dispose()
    said, _ = reader.communicate("\n", timeout=PATIENCE)
    assert len(said.splitlines()) == 1, said
    assert said.endswith("ERROR sqlalchemy [-] back in the pool\n"), said
