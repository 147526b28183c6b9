# SPDX-License-Identifier: Apache-2.0
"""The maintenance of a host: one function a state.

From the order on, before its flag is set, the host counts as flagged (Step.picture);
it does so until the end, when the flag is gone and its service is enabled again. So
nothing is moved to it, and nobody takes it for dead, at any moment of it.

At the end, only what the trigger did is undone: a flag that a person set, and a
service that a person had disabled, stay as they are.
"""

from collections.abc import Callable
from dataclasses import replace

from nova_ha_scheduler.cluster import host_names
from nova_ha_scheduler.cluster.picture import Host
from nova_ha_scheduler.evacuation.detection import suspicion
from nova_ha_scheduler.evacuation.maintenance import drain
from nova_ha_scheduler.evacuation.step import Step
from nova_ha_scheduler.reasons import Reason
from nova_ha_scheduler.records.commands import Command
from nova_ha_scheduler.records.effects import Effect
from nova_ha_scheduler.records.host_recovery import HostPhase, HostState
from nova_ha_scheduler.records.maintenance_window import Window, WindowState
from nova_ha_scheduler.rules import vocabulary

STARTS, ENDS = "its maintenance begins", "its maintenance ends"
DRAINS = "under maintenance already, its servers leave"
"""The answers to orders that are taken."""


def start(step: Step, command: Command) -> None:
    """Begin a maintenance, go on with one that is about to end, or drain the host of
    one that is open."""
    known, recovery = step.window_of(command.host), step.recovery_of(command.host)
    if command.host not in step.picture.hosts:
        _refuse_unknown(step, command)
    elif command.until is not None and command.until <= step.now:
        step.refuse(command, Reason.PAST)
    elif recovery is not None and step.pending(recovery, Effect.FENCE):
        step.refuse(command, Reason.BEING_FENCED)  # the device has the order
    elif known is not None and known.state is not WindowState.ENDING:
        if again := drain.again(step, known) if command.drain else None:
            step.settle(command, DRAINS)
            step.put(replace(again, until=command.until or again.until))
        else:
            step.refuse(command, Reason.IN_WINDOW, known.words)
    else:
        step.settle(command, STARTS)
        step.put(_begun(step, command, known))


def _begun(step: Step, command: Command, known: Window | None) -> Window:
    """What is to be undone at the end is what is not so now."""
    id, state = f"{command.host}@{step.now:.3f}/maintenance", WindowState.STARTING
    who = command.by, command.reason
    window = known or Window(id, command.host, *who, state, started_at=step.now)
    seen = step.shown.hosts[command.host]
    window = replace(
        window,
        by=command.by,
        why=command.reason,
        until=command.until,
        drain=command.drain,
        flagged_by_us=window.flagged_by_us or not _is_flagged(seen),
        disabled_by_us=window.disabled_by_us or not seen.disabled,
        stages={},
        done_at={},
        drained_at=None,
        forced=False,
    )
    return step.enter(window, state, f"by {window.by}: {window.why}")


def end(step: Step, command: Command) -> None:
    """End a maintenance; of one that ends already, perhaps by force."""
    window, seen = step.window_of(command.host), step.picture.hosts.get(command.host)
    if window is not None:
        step.settle(command, ENDS)
        window = replace(window, forced=command.force)
        if window.state is not WindowState.ENDING:
            how = ": ".join(filter(None, (f"by {command.by}", command.reason)))
            window = step.enter(window, WindowState.ENDING, how)
        step.put(window)
    elif seen is None:
        _refuse_unknown(step, command)
    elif suspicion.under_maintenance(seen):
        step.refuse(
            command, Reason.NO_WINDOW, "a person has flagged it in an aggregate"
        )
    else:
        step.refuse(command, Reason.NO_WINDOW, "and no aggregate flags it")


def _refuse_unknown(step: Step, command: Command) -> None:
    hint = host_names.hint(command.host, step.picture.hosts)
    step.refuse(command, Reason.UNKNOWN_HOST, hint)


def advance(step: Step) -> None:
    """Run each maintenance's state functions until its state stays; one that breaks
    leaves all as it was, and the others go on."""
    for window in step.open_windows():
        seen = step.shown.host(window.host)
        if seen and seen.unreadable:
            continue  # nobody knows how it stands
        undo = step.savepoint()
        try:
            _advance(step, window)
        except Exception as error:  # nobody foresaw it
            undo()
            step.leaves_out(window, error)


def _advance(step: Step, window: Window) -> None:
    while True:
        new = FUNCTIONS[window.state](step, window)
        step.put(new)
        if new.state is window.state or new.ended_at is not None:
            return
        window = new


def starting(step: Step, window: Window) -> Window:
    """The flag is set, and the service disabled, unless that is so already."""
    seen = step.shown.hosts.get(window.host)
    if seen is None:
        return _over(step, window, Reason.UNKNOWN_HOST.sentence())
    if _is_due(step, window):
        return _time_is_over(step, window)
    window = _seen_to(step, window, Effect.FLAG, _is_flagged(seen))
    window = _seen_to(step, window, Effect.DISABLE, seen.disabled)
    if not {Effect.FLAG.value, Effect.DISABLE.value} <= window.done_at.keys():
        return window
    found = [] if window.flagged_by_us else ["it was flagged already"]
    found += [] if window.disabled_by_us else ["its service was disabled already"]
    words = ", ".join(found)
    return step.enter(window, WindowState.OPEN, reason=words, next_look_at=step.now)


def open_(step: Step, window: Window) -> Window:
    """It is under maintenance, until somebody ends that or its time is over.

    Whoever takes the flag away does not end it: the flag is set again.
    """
    seen = step.shown.hosts.get(window.host)
    if seen is None:
        return _over(step, window, Reason.UNKNOWN_HOST.sentence())
    if _is_due(step, window):
        return _time_is_over(step, window)
    window = _kept_flagged(step, window, _is_flagged(seen))
    if window.drain:
        drain.follow(step, window)
    return window


def _kept_flagged(step: Step, window: Window, flagged: bool) -> Window:
    opened_at = window.stages[WindowState.OPEN.value]
    last = max(opened_at, window.done_at.get(Effect.FLAG.value, 0.0))
    outcome = step.outcome(window, Effect.FLAG)
    if flagged and not outcome or not step.is_newer(last):
        return window
    if not outcome:
        window = step.hold(window, Reason.UNFLAGGED)
    window, done = _done(step, window, Effect.FLAG, flagged)
    if done:
        window = replace(_was_done(step, window, Effect.FLAG), flagged_by_us=True)
        window = window.because(Reason.UNFLAGGED)
    return window


def ending(step: Step, window: Window) -> Window:
    """What moves is followed to its end; then the flag goes, then the service is
    enabled.

    A host that is down at the end stays flagged until it is up: a person may still
    work on it, and without the flag it would be fenced.
    """
    seen = step.shown.hosts.get(window.host)
    if seen is None:
        return _over(step, window, Reason.UNKNOWN_HOST.sentence())
    if moving := drain.finish(step, window):
        if not window.forced:
            return window.because(Reason.MOVES_UNDER_WAY, str(moving))
        drain.abandon(step, window)
    if not (seen.up or window.forced):
        return _held_down(step, window, seen)
    window, settled = _settled(step, window)
    if not settled:
        return window
    if window.flagged_by_us:
        window = _seen_to(step, window, Effect.UNFLAG, not _is_flagged(seen))
        if Effect.UNFLAG.value not in window.done_at:
            return window
    if window.disabled_by_us and seen.disabled_reason.startswith(vocabulary.OUR_MARK):
        window = _seen_to(step, window, Effect.ENABLE, not seen.disabled)
        if Effect.ENABLE.value not in window.done_at:
            return window
    stays = []
    if _is_flagged(seen) and not window.flagged_by_us:
        stays.append("a person's flag stays")
    recovered = step.recovery_of(window.host) is not None  # which enables it itself
    enabled = Effect.ENABLE.value in window.done_at
    if seen.disabled and not (enabled or recovered):
        stays.append(f"its service stays disabled: {seen.disabled_reason}")
    return _over(step, window, ", ".join(stays))


def _held_down(step: Step, window: Window, seen: Host) -> Window:
    """What keeps Nova from calling the host up: that it is down; or, of one that is
    heard of, its recovery, which lets it in again, or somebody else."""
    recovery = step.recovery_of(window.host)
    if step.now - seen.updated_at < step.options.down_time:
        if recovery is None and seen.forced_down:
            return step.hold(window, Reason.FORCED_DOWN)
        if recovery is not None and recovery.state is HostState.RETURNING:
            soon = recovery.phase in (None, HostPhase.MAINTENANCE)
            if recovery.reason is None or soon:
                return window.because(None)
            return step.hold(window, recovery.reason, recovery.detail)
    return step.hold(window, Reason.DOWN_AT_END)


def _settled(step: Step, window: Window) -> tuple[Window, bool]:
    """Whether the picture shows what was begun, so that it can be undone; a request
    without an answer may still take effect for a while."""
    begun = (Effect.FLAG, Effect.DISABLE)
    for effect in begun:
        if outcome := step.outcome(window, effect):
            doubt = 0.0 if outcome.ok or outcome.refused else step.options.settle
            next_try_at = max(window.next_try_at, step.now + doubt)
            window = _was_done(step, window, effect).put_off(next_try_at)
    opened_at = window.stages.get(WindowState.OPEN.value, 0.0)
    last = max([opened_at, *(window.done_at.get(e.value, 0.0) for e in begun)])
    pending = any(step.pending(window, effect) for effect in begun)
    fresh = step.is_newer(last) and step.now >= window.next_try_at
    return window, fresh and not pending


FUNCTIONS: dict[WindowState, Callable[[Step, Window], Window]] = {
    WindowState.STARTING: starting,
    WindowState.OPEN: open_,
    WindowState.ENDING: ending,
}


def _is_flagged(seen: Host) -> bool:
    return vocabulary.MAINTENANCE in seen.facts.flags


def _is_due(step: Step, window: Window) -> bool:
    """While we are blind, our clock may be wrong: it ends when we see again."""
    if window.until is None or step.guard.blind_since is not None:
        return False
    return step.now >= window.until


def _time_is_over(step: Step, window: Window) -> Window:
    return step.enter(window, WindowState.ENDING, reason="its time is over")


def _over(step: Step, window: Window, words: str) -> Window:
    drain.abandon(step, window)
    return step.enter(window, WindowState.ENDED, reason=words)


def _seen_to(step: Step, window: Window, effect: Effect, shown: bool) -> Window:
    """The maintenance, which remembers when the effect was done."""
    if effect.value in window.done_at:
        return window
    window, done = _done(step, window, effect, shown)
    return _was_done(step, window, effect) if done else window


def _was_done(step: Step, window: Window, effect: Effect) -> Window:
    return replace(window, done_at={**window.done_at, effect.value: step.now})


def _done(
    step: Step, window: Window, effect: Effect, shown: bool
) -> tuple[Window, bool]:
    """Whether the picture shows the effect, or Nova said so; where neither is so it is
    wanted, again after a while if it failed."""
    outcome = step.outcome(window, effect)
    if shown or (outcome and outcome.ok):
        return window, True
    if outcome and not outcome.lost:
        why = Reason.REFUSED_BY_NOVA if outcome.refused else Reason.NOVA_FAILED
        window = step.hold(window, why, outcome.detail)
        window = window.put_off(step.now + step.options.retry_interval)
    text = suspicion.disabled_reason(f"maintenance by {window.by}: {window.why}")
    text = text if effect is Effect.DISABLE else ""
    return step.ensure(window, effect, window.host, text=text), False
