# SPDX-License-Identifier: Apache-2.0
"""The calls of the trigger that leave its process, listed from its code.

A call leaves the process when what is called belongs to a library that does so (by the
name under which the module has imported it), or is a method that only such objects
have. A local name that shadows an import, or a method of an object under an unusual
name, would be missed: METHODS is to be added to then.
"""

import ast
import configparser
import functools
from collections.abc import Iterator
from pathlib import Path

import nova_ha_scheduler

ROOT = Path(nova_ha_scheduler.__file__).parent
OURS = ROOT.name

START = f"{OURS}.service.main"
"""The service's process is what this imports, and the drivers of the entry points."""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


LIBRARIES = _words(
    "fcntl oslo_messaging select selectors shutil smtplib socket sqlite3 ssl "
    "subprocess sushy tempfile tooz"
)
"""What is called by such a name leaves the process, but for NO_CALLS."""

OF_OS = _words(
    "access chmod chown close fsync fstat killpg link listdir lstat makedirs mkdir "
    "open pidfd_open read remove rename replace rmdir scandir stat unlink write"
)
"""Of os."""

METHODS = _words(
    # Files.
    "exists glob is_dir is_file iterdir mkdir mutate_config_files open read_bytes "
    "read_text rglob touch unlink write_bytes write_text "
    # Databases.
    "begin connect execute scalar scalars "
    # Sessions of requests, openstacksdk, keystoneauth1 and sushy.
    "authorize delete get_endpoint_data get_system patch post refresh request "
    "reset_system send "
    # Mail.
    "login mail quit rcpt rset send_message starttls "
    # Brokers and coordination.
    "get_lock heartbeat "
    # Sockets and processes.
    "communicate sendall sendto recv"
)
"""Names of methods, whatever their object is."""

NO_CALLS = _words(
    # They build, or read what is in memory.
    "smtplib.SMTPException smtplib.SMTPSenderRefused ssl.create_default_context "
    "oslo_messaging.NotificationFilter oslo_messaging.Target oslo_messaging.opts."
    "list_opts socket.gethostname socket.inet_aton socket.inet_ntoa "
    "subprocess.TimeoutExpired sushy.auth.SessionOrBasicAuth"
)


def _modules() -> dict[str, Path]:
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = (OURS, *path.relative_to(ROOT).with_suffix("").parts)
        found[".".join(p for p in parts if p != "__init__")] = path
    return found


def _drivers() -> Iterator[str]:
    """The modules that stevedore loads, by the names of setup.cfg."""
    parser = configparser.ConfigParser()
    parser.read(ROOT.parent / "setup.cfg")
    points = parser["options.entry_points"]
    for group in ("fencing", "witnesses"):
        for line in points[f"{OURS}.{group}"].strip().splitlines():
            yield line.partition("=")[2].partition(":")[0].strip()


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The local name and the full one of all that a module imports, wherever."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (
                    alias.asname or alias.name.partition(".")[0],
                    (alias.name if alias.asname else alias.name.partition(".")[0]),
                )
                yield "", alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def process() -> dict[str, Path]:
    """The modules of the service's process."""
    modules = _modules()
    todo, found = [START, *_drivers()], {}
    while todo:
        name = todo.pop()
        while name and name not in modules:
            name = name.rpartition(".")[0]
        if not name or name in found:
            continue
        found[name] = modules[name]
        todo += [full for _, full in _imports(_tree(modules[name]))]
        todo.append(name.rpartition(".")[0])
    return found


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return "()"


def _is_constant(name: str) -> bool:
    """Of a library; or one of its exceptions."""
    last = name.rpartition(".")[2]
    return last.isupper() or last.endswith("Error") or ".exceptions." in name


def _leaves(callee: str, names: dict[str, str]) -> str:
    """What is called, if that leaves the process; else ""."""
    root, _, rest = callee.partition(".")
    full = names.get(root, "")
    whole = f"{full}.{rest}" if rest else full
    if full.startswith(OURS):
        return ""
    if whole.partition(".")[0] in LIBRARIES:
        return "" if whole in NO_CALLS or _is_constant(whole) else whole
    if whole.startswith("os."):
        return whole if rest in OF_OS else ""
    if callee == "open":
        return callee
    last = callee.rpartition(".")[2]
    return f"*.{last}" if "." in callee and not full and last in METHODS else ""


def _walk(node: ast.AST, where: str) -> Iterator[tuple[str, ast.AST]]:
    """All below a node, each with the function that it stands in."""
    for child in ast.iter_child_nodes(node):
        inner = where
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = f"{where}.{child.name}" if where else child.name
        yield where, child
        yield from _walk(child, inner)


def _called(node: ast.AST) -> list[ast.expr]:
    """What is called, or given to another one that may call it."""
    if not isinstance(node, ast.Call):
        return []
    return [node.func, *(arg for arg in node.args if isinstance(arg, ast.Attribute))]


def calls() -> dict[str, set[str]]:
    """What each function of the service's process calls that leaves the process, by
    ``module:function``, without the package's name."""
    found: dict[str, set[str]] = {}
    for module, path in process().items():
        tree = _tree(path)
        names = {local: full for local, full in _imports(tree) if local}

        for where, node in _walk(tree, ""):
            for called in _called(node):
                if callee := _leaves(_dotted(called), names):
                    place = f"{module.removeprefix(OURS + '.')}:{where}"
                    found.setdefault(place, set()).add(callee)
    return found
