# SPDX-License-Identifier: Apache-2.0
"""What a scrape costs: beside the bare sending of the same bytes, and what it takes to
make the text anew.

The text is that of a trigger which watches so many fence devices. The bare sending is a
thread for each connection that reads the request, writes the bytes and closes, which
is the least that can be done. Both are asked in turns, by the same client.
"""

import functools
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from bench.effort import Effort
from nova_ha_scheduler.service.monitoring import page_data
from nova_ha_scheduler.service.monitoring.counts import Counts
from nova_ha_scheduler.service.monitoring.healthcheck import Answers
from nova_ha_scheduler.service.monitoring.metrics import Text
from nova_ha_scheduler.service.monitoring.pages import Pages, Texts
from nova_ha_scheduler.service.monitoring.server import WebPlace, WebServer
from nova_ha_scheduler.service.monitoring.trigger_facts import TriggerFacts
from tests.lib import ports
from tests.lib.simulation.watched import Watched

_REQUEST = b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n"


def measure(effort: Effort, say: Callable[[str], None] = print) -> dict[str, float]:
    """Print a table; return ratios and seconds."""
    say(f"{'of a scrape':24}{'hosts':>8}{'kB':>8}{'ms':>8}{'bare':>8}{'ratio':>8}")
    figures: dict[str, float] = {}
    for hosts in effort.scraped:
        figures |= _figures(hosts, effort.scrapes, say)
    return {name: round(figure, 4) for name, figure in figures.items()}


def _figures(
    hosts: int, scrapes: int, say: Callable[[str], None]
) -> Mapping[str, float]:
    facts, pages, text, counts = _facts(hosts), Pages(), Text(), Counts()

    def make(facts: TriggerFacts) -> float:
        return _timed(lambda: _make(pages, text, counts, facts))

    other = {**facts.devices, "compute-0.example.org": False}
    first, same, one = map(make, (facts, facts, replace(facts, devices=other)))
    body = pages.ready.metrics
    place = WebPlace("127.0.0.1", ports.free_port())
    server = WebServer(place, pages)
    server.serve()
    with _bare(body) as bare:
        times: Mapping[int, list[float]] = {place.port: [], bare: []}
        for port in (*times, *list(times) * scrapes):  # the first ones warm up
            times[port].append(_timed(functools.partial(_ask, port, len(body))))
    server.stop()
    scrape, sending = (statistics.median(found[1:]) for found in times.values())
    say(
        f"{'served, and sent alone':24}{hosts:8}{len(body) / 1000:8.0f}"
        f"{1000 * scrape:8.2f}{1000 * sending:8.2f}{scrape / sending:8.2f}"
    )
    say(
        f"  all texts made: first {first:.3f} s, nothing new {same:.3f} s, one device "
        f"new {one:.3f} s"
    )
    return {
        f"scrape_ratio_sending.{hosts}": scrape / sending,
        f"scrape_text_s.{hosts}": same,
        f"scrape_text_new_s.{hosts}": one,
    }


def _facts(hosts: int) -> TriggerFacts:
    """Of a trigger that watches so many devices."""
    script = Watched({"hosts": {"h1..h4": {"zone": "nfs-a"}}})
    script.until(10)
    found = script.facts
    assert found is not None
    names = (f"compute-{number}.example.org" for number in range(hosts))
    return replace(found, devices=dict.fromkeys(names, True))


def _make(pages: Pages, text: Text, counts: Counts, facts: TriggerFacts) -> None:
    judged = facts.judgement
    answers = Answers(judged.code, judged.line, facts.alive)
    pages.ready = Texts(answers, text.of(facts, counts), page_data.text(facts))


def _timed(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def _ask(port: int, least: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(_REQUEST)
        size = 0
        while found := client.recv(1 << 16):
            size += len(found)
    if size < least:
        raise RuntimeError(f"{size} bytes of {least}")


@contextmanager
def _bare(body: bytes) -> Iterator[int]:
    """A port that sends the bytes, and nothing else."""
    head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    def send(connection: socket.socket) -> None:
        with connection:
            connection.recv(1 << 16)
            connection.sendall(head + body)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=send, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
