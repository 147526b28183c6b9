# SPDX-License-Identifier: Apache-2.0
"""The database's own clock, which is one for all who use the journal."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

_MILLISECONDS = {
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    # Not the time of the session's zone, of which some hours come twice.
    "mysql": "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000",
    # Not the time at which the transaction has begun, which may have waited.
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
}
_MILLISECONDS["mariadb"] = _MILLISECONDS["mysql"]


class Now(FunctionElement[int]):
    """Milliseconds since the epoch."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(Now)  # type: ignore[untyped-decorator]
def _now(element: Now, compiler: Any, **_: Any) -> str:
    return _MILLISECONDS[compiler.dialect.name]
