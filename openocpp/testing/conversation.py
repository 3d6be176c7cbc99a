"""One side of an OCPP-J conversation played by a test: what is sent, what must come, in order.

A :class:`ScriptedPeer` is a charge point that connects, or what a :class:`ScriptedServer` accepted: then it plays the
central system. Its verbs block in the runtime's time, so on a simulated runtime nothing is waited for in earnest. When
something else comes than the script says, the AssertionError shows the whole conversation.

    central_system = ScriptedServer(sim, "ws://central:8080/ocpp")
    peer = central_system.accept()
    peer.expect_call("BootNotification", {"chargePointModel": "M1"}).answer({"status": "Accepted", ...})
    assert peer.call("Reset", {"type": "Soft"}).result() == {"status": "Accepted"}

Expected payloads are patterns: objects may have more members than the pattern, ``ABSENT`` forbids one, a function is
asked about the value, anything else must be equal.
Threads: the test's own; what comes in is taken on the scheduler.
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn

from openocpp.errors import ConnectError
from openocpp.transport.base import SUBPROTOCOL, Accepted, CloseCode, ListenSettings, Refused, Target
from openocpp.transport.sockets import network
from openocpp.transport.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openocpp.runtime import Gate, Runtime
    from openocpp.transport.base import Closed, Handshake, Transport

    Answer = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]

PATIENCE = 60.0  # seconds until a script gives up what it waits for


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""In a pattern: the object has no such member."""


def matches(pattern: Any, value: Any) -> bool:
    """Does a JSON value fit a pattern?"""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key not in value if wanted is ABSENT else key in value and matches(wanted, value[key])
            for key, wanted in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and len(pattern) == len(value) and all(map(matches, pattern, value))
    if callable(pattern):
        return bool(pattern(value))
    return bool(pattern == value)


class ReceivedCall:
    """A CALL that came: to be answered, or not."""

    def __init__(self, peer: ScriptedPeer, unique_id: Any, action: str, payload: dict[str, Any]) -> None:
        self._peer = peer
        self.id = unique_id
        self.action = action
        self.payload = payload

    def __repr__(self) -> str:
        return f"<{self.action} {json.dumps(self.payload)}>"

    def answer(self, payload: Mapping[str, Any] | None = None) -> None:
        """Send a CALLRESULT."""
        self._peer.send([3, self.id, dict(payload or {})])

    def refuse(self, code: str, description: str = "", details: Mapping[str, Any] | None = None) -> None:
        """Send a CALLERROR."""
        self._peer.send([4, self.id, code, description, dict(details or {})])


class SentCall:
    """A CALL of the script: its answer may be awaited at once or later."""

    def __init__(self, peer: ScriptedPeer, unique_id: str, action: str) -> None:
        self._peer = peer
        self.id = unique_id
        self.action = action
        self.frame: list[Any] | None = None

    @property
    def answered(self) -> bool:
        return self.frame is not None

    def result(self, pattern: Any = None, timeout: float = PATIENCE) -> dict[str, Any]:
        """The payload of the CALLRESULT, which must come, and fit the pattern if one is given."""
        frame = self._await(timeout)
        if frame[0] != 3 or (pattern is not None and not matches(pattern, frame[2])):
            wanted = "" if pattern is None else f" like {pattern!r}"
            self._peer.fail(f"{self.action} must be answered with a result{wanted}, not {json.dumps(frame)}")
        payload: dict[str, Any] = frame[2]
        return payload

    def error(self, code: str | None = None, timeout: float = PATIENCE) -> tuple[str, str, dict[str, Any]]:
        """Code, description and details of the CALLERROR, which must come."""
        frame = self._await(timeout)
        if frame[0] != 4 or (code is not None and frame[2] != code):
            self._peer.fail(f"{self.action} must be refused with {code or 'an error'}, not {json.dumps(frame)}")
        return frame[2], frame[3], frame[4]

    def _await(self, timeout: float) -> list[Any]:
        self._peer.wait_for(lambda: self.answered, f"the answer to {self.action}", timeout)
        assert self.frame is not None
        return self.frame


class ScriptedPeer:
    """The side of a conversation that the test speaks for. ``answers`` holds what is answered without being asked for:
    by action, a payload or a function that makes one; such CALLs do not reach ``expect_call``."""

    def __init__(self, runtime: Runtime, transport: Transport, name: str, answers: dict[str, Answer]) -> None:
        self._runtime = runtime
        self._transport = transport
        self.name = name
        self.answers = answers
        self.closed_why: Closed | None = None
        self.lines: list[str] = []  # the whole conversation
        self.texts: list[str] = []  # what came, as it came
        self._incoming: deque[str] = deque()  # not expected yet
        self._sent: dict[str, SentCall] = {}
        self._next_id = 1
        self._gate: Gate | None = None
        transport.start(self)

    def __repr__(self) -> str:
        return f"<scripted {self.name}: {'open' if self.closed_why is None else self.closed_why}>"

    @classmethod
    def connect(
        cls,
        runtime: Runtime,
        url: str,
        identity: str = "",
        *,
        user: str = "",
        password: bytes = b"",
        subprotocol: str = "ocpp1.6",
        ping_interval: float = 0.0,
        timeout: float = 5.0,
        answers: dict[str, Answer] | None = None,
    ) -> ScriptedPeer:
        """Connect as a charge point. Raises ConnectError. Without an identity ``url`` is the whole address."""
        target = Target(
            Url.parse(url).with_identity(identity) if identity else Url.parse(url),
            user=user or (identity if password else ""),
            password=password,
            connect_timeout=timeout,
            ping_interval=ping_interval,
            subprotocol=subprotocol,
        )
        made = runtime.waiter()
        name = identity or url

        def done(result: Transport | ConnectError) -> None:
            if not isinstance(result, ConnectError):
                made.set(cls(runtime, result, name, {} if answers is None else answers))
            else:
                made.set(result)

        network(runtime).connect(target, done)
        if not made.wait(timeout + PATIENCE):
            raise AssertionError(f"{name}: neither connected nor refused")
        if isinstance(made.value, ConnectError):
            raise made.value
        peer: ScriptedPeer = made.value
        return peer

    # -- what comes in -------------------------------------------------------------------------------------------------

    def text_received(self, text: str) -> None:
        self.texts.append(text)
        self._note("<", text)
        if not self._take(text):
            self._incoming.append(text)
        self._wake()

    def _take(self, text: str) -> bool:
        """Is it something that no verb waits for by its order: an answer, or a CALL with a standing answer?"""
        try:
            frame = json.loads(text)
        except ValueError:
            return False
        if not isinstance(frame, list) or len(frame) < 3:
            return False
        if frame[0] in (3, 4) and isinstance(frame[1], str):
            call = self._sent.pop(frame[1], None)
            if call is not None:
                call.frame = frame
                return True
            return False
        if frame[0] == 2 and frame[2] in self.answers:
            answer = self.answers[frame[2]]
            self._send(json.dumps([3, frame[1], dict(answer(frame[3]) if callable(answer) else answer)]))
            return True
        return False

    def closed(self, why: Closed) -> None:
        self.closed_why = why
        self._note("-", f"closed {why.code} {why.reason}".rstrip())
        self._wake()

    def _note(self, mark: str, text: str) -> None:
        self.lines.append(f"{self._runtime.clock.now():10.3f} {mark} {text}")

    def _wake(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.open()

    # -- verbs: sending ------------------------------------------------------------------------------------------------

    def send(self, frame: Any) -> None:
        """Send a frame: a list becomes JSON, a text goes as it is."""
        text = frame if isinstance(frame, str) else json.dumps(frame, ensure_ascii=False)
        self._runtime.scheduler.post(lambda: self._send(text))

    def _send(self, text: str) -> None:
        self._note(">", text)
        self._transport.send(text)

    def call(self, action: str, payload: Mapping[str, Any] | None = None, unique_id: str = "") -> SentCall:
        """Send a CALL. ``.result()`` or ``.error()`` wait for its answer."""
        if not unique_id:
            unique_id = f"s{self._next_id}"
            self._next_id += 1
        call = self._sent[unique_id] = SentCall(self, unique_id, action)
        self.send([2, unique_id, action, dict(payload or {})])
        return call

    def close(self, code: int = CloseCode.NORMAL) -> None:
        """Close politely, and wait for the end."""
        self._runtime.scheduler.post(lambda: self._transport.close(code))
        self.wait_for(lambda: self.closed_why is not None, "the end of the connection")

    def abort(self) -> None:
        """Drop the connection."""
        self._runtime.scheduler.post(self._transport.abort)

    # -- verbs: expecting ----------------------------------------------------------------------------------------------

    def expect_call(self, action: str, pattern: Any = None, timeout: float = PATIENCE) -> ReceivedCall:
        """The next CALL that came, or comes: it must be this one."""
        frame = self._next(f"CALL {action}", timeout)
        wanted = "" if pattern is None else f" like {pattern!r}"
        is_call = isinstance(frame, list) and len(frame) == 4 and frame[0] == 2
        if not is_call or frame[2] != action or (pattern is not None and not matches(pattern, frame[3])):
            self.fail(f"expected {action}{wanted}, but there came {json.dumps(frame)}")
        return ReceivedCall(self, frame[1], frame[2], frame[3])

    def expect_frame(self, pattern: Any = None, timeout: float = PATIENCE) -> Any:
        """The next frame that is no answer to a CALL of the script, whatever it is, as JSON."""
        frame = self._next("a frame", timeout)
        if pattern is not None and not matches(pattern, frame):
            self.fail(f"expected a frame like {pattern!r}, but there came {json.dumps(frame)}")
        return frame

    def expect_nothing(self, seconds: float) -> None:
        """For so long nothing may come that is not answered by itself, and the connection must last."""
        deadline = self._runtime.clock.now() + seconds
        while not self._incoming and self.closed_why is None:
            if not self._rest(deadline):
                return
        self.fail(f"expected nothing for {seconds:g} s")

    def expect_closed(self, code: int | None = None, timeout: float = PATIENCE) -> Closed:
        """The connection must end, with this code if one is given."""
        self.wait_for(lambda: self.closed_why is not None, "the end of the connection", timeout)
        assert self.closed_why is not None
        if code is not None and self.closed_why.code != code:
            self.fail(f"expected the end of the connection with {code}, not {self.closed_why}")
        return self.closed_why

    def _next(self, what: str, timeout: float) -> Any:
        self.wait_for(lambda: bool(self._incoming) or self.closed_why is not None, what, timeout)
        if not self._incoming:
            self.fail(f"expected {what}, but the connection is closed")
        text = self._incoming.popleft()
        try:
            return json.loads(text)
        except ValueError:
            self.fail(f"expected {what}, but what came is no JSON: {text[:200]}")

    def wait_for(self, condition: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
        """Wait until something that comes in makes the condition true."""
        deadline = self._runtime.clock.now() + timeout
        while not condition():
            if not self._rest(deadline) and not condition():
                self.fail(f"waited {timeout:g} s for {what}")

    def _rest(self, deadline: float) -> bool:
        """Wait until something comes: False when the time is over. One thread at a time."""
        left = deadline - self._runtime.clock.now()
        if left <= 0:
            return False
        before = len(self.lines)
        gate = self._gate = self._runtime.threads.gate()
        if len(self.lines) != before:  # it came just before
            return True
        return gate.wait(left)

    @property
    def script(self) -> str:
        """The conversation so far: time, direction ("<" came in), text."""
        return "\n".join(self.lines)

    def fail(self, problem: str) -> NoReturn:
        raise AssertionError(f"{self.name}: {problem}\n{self.script}")


class ScriptedServer:
    """Listens, and gives what connects as :class:`ScriptedPeer`. It is the door too: what it decides can be set.

    ``verdict`` is asked with the handshake and the identity: an HTTP status, or 0 to let it in. ``handshakes`` holds
    all that came. ``answers`` go to every peer.
    """

    def __init__(
        self,
        runtime: Runtime,
        url: str,
        *,
        basic_authentication: bool = False,
        ping_interval: float = 0.0,
        subprotocol: str = SUBPROTOCOL,
        answers: dict[str, Answer] | None = None,
    ) -> None:
        self._runtime = runtime
        self.answers: dict[str, Answer] = {} if answers is None else answers
        self.verdict: Callable[[Handshake, str], int] = lambda handshake, identity: 0
        self.handshakes: list[Handshake] = []
        self.passwords: list[bytes] = []
        self.peers: list[ScriptedPeer] = []
        self._waiting: deque[ScriptedPeer] = deque()
        self._gate: Gate | None = None
        settings = ListenSettings(
            url=Url.parse(url, listening=True),
            ping_interval=ping_interval,
            basic_authentication=basic_authentication,
            subprotocol=subprotocol,
        )
        self._listener = network(runtime).listen(settings, self)

    @property
    def port(self) -> int:
        return self._listener.port

    def accept(self, timeout: float = PATIENCE) -> ScriptedPeer:
        """The next one that connected, or connects."""
        deadline = self._runtime.clock.now() + timeout
        while not self._waiting:
            gate = self._gate = self._runtime.threads.gate()
            left = deadline - self._runtime.clock.now()
            if not self._waiting and (left <= 0 or not gate.wait(left)):
                raise AssertionError(f"nobody connected within {timeout:g} s")
        return self._waiting.popleft()

    def expect_nobody(self, seconds: float) -> None:
        """For so long nobody may connect."""
        deadline = self._runtime.clock.now() + seconds
        gate = self._gate = self._runtime.threads.gate()
        if self._waiting or gate.wait(deadline - self._runtime.clock.now()):
            raise AssertionError(f"{self._waiting} connected, nobody was expected")

    def close(self) -> None:
        """Listen no more; what is connected stays."""
        self._listener.close()

    # -- the door ------------------------------------------------------------------------------------------------------

    def knock(self, address: str) -> bool:
        return True

    def admit(self, handshake: Handshake, identity: str, user: str, password: bytes) -> Accepted | Refused:
        self.handshakes.append(handshake)
        self.passwords.append(password)
        status = self.verdict(handshake, identity)
        return Refused(status, reason="the script says so") if status else Accepted(identity, user, password)

    def opened(self, accepted: Accepted, handshake: Handshake, transport: Transport) -> None:
        peer = ScriptedPeer(self._runtime, transport, f"server of {accepted.identity}", self.answers)
        self.peers.append(peer)
        self._waiting.append(peer)
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.open()

    def failed(self, address: str, reason: str) -> None:
        """Nothing to do: whoever was refused knows."""


__all__ = ["ABSENT", "ReceivedCall", "ScriptedPeer", "ScriptedServer", "SentCall", "matches"]
