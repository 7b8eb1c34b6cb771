"""Attacks on the channel between worker and grader: forged, broken, endless or slow messages."""

from __future__ import annotations

from course.grading.hostile.attack import Hostile

INGINIOUS = "INGInious #32: the student's code could write the grader's result"
SALIGRAMA = "saligrama.io: a submission that writes Gradescope's results.json itself"

SEND = """
import os, struct, time
from course.grading import values
def everywhere(data):
    sent = 0
    for number in range(1, 64):
        try:
            os.set_blocking(number, True)
            sent += os.write(number, data)
        except OSError:
            pass
    return sent
def frame(message):
    data = message if isinstance(message, bytes) else values.pack(message)
    return len(data).to_bytes(4, "little") + data
"""

FORGED_REPLY = (
    SEND
    + """
import json
text = json.dumps({"status": "ok", "points": 1e9, "correct": True, "score": 100, "tests": [{"score": 100}]}).encode()
for piece in (text + b"\\n", struct.pack(">I", len(text)) + text, struct.pack("<Q", len(text)) + text):
    note("answer in many formats", lambda: everywhere(piece))
for place in ("results.json", "/autograder/results/results.json", "/grade/results/results.json"):
    try:
        os.makedirs(os.path.dirname(place) or ".", exist_ok=True)
        open(place, "w").write(text.decode())
    except OSError:
        pass
"""
)

FORGED_RUNS = (
    SEND
    + """
import numpy as np
case = {"values": {"y": np.zeros(50), "m": 0.0, "n": 0.0, "points": 1e9, "status": "correct"}, "changed": {}}
note("send values for every exercise", lambda: [everywhere(frame({"begin": n})) +
     everywhere(frame({"exercise": n, "run": {"cases": [case] * 3, "failure": None}})) for n in NAMES[:2]])
"""
)

FORGED_END = SEND + 'note("say that all is done", lambda: everywhere(frame({"done": True})))\n'

FORGED_STATE = (
    SEND
    + """
for message in ({"begin": NAMES[0], "seconds": 1e9}, {"cell": -1, "failure": None}, {"points": 100},
                {"cell": 0, "failure": {"kind": "not done", "message": "<script>", "line": 10**5}}):
    note("say what nobody asked", lambda: everywhere(frame(message)))
"""
)

LENGTHS = (
    SEND
    + """
note("announce more than there is", lambda: everywhere(b"\\xff\\xff\\xff\\xff"))
note("send half a message", lambda: everywhere((1 << 20).to_bytes(4, "little") + b"half"))
time.sleep(1000)
"""
)

MALFORMED = (
    SEND
    + """
def body(tree, arrays=b""):
    return frame(values.HEADER.pack(len(tree), len(arrays)) + tree + arrays)
for tree in (b'{"array":["|O",[1]]}', b'{"array":["<f8",[-1]]}', b'{"array":["<f8",[4294967296,4294967296]]}',
             b'{"float":"__import__(1)"}', b"[" * 100_000, b'{"dict":{"done":NaN}}', b"\\xff\\xfe", b"cos\\nsystem\\n(S'id'\\ntR.",
             b'{"dict":{"begin":1e999}}', b'{"dict":{"exercise":{"tuple":[1]}}}'):
    note("send what is no value", lambda: everywhere(body(tree, bytes(8))))
"""
)

FLOODS_CHANNEL = (
    SEND
    + """
def flood():
    while True:
        for number in range(3, 64):
            try:
                os.write(number, bytes(1 << 20))
            except OSError:
                pass
flood()
"""
)

TRICKLES = (
    SEND
    + """
while True:
    everywhere(b"\\0")
    time.sleep(0.05)
"""
)

CLOSES = """
import os, time
os.closerange(0, 256)
time.sleep(1000)
"""

REOPENS = (
    SEND
    + """
import socket
def again():
    done = 0
    for pid in ("self", "1", os.getppid()):
        for number in range(64):
            try:
                there = os.open(f"/proc/{pid}/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
                done += os.write(there, frame({"points": 1e9}))
            except OSError:
                pass
    return done
note("open the channel again", again)
def hand_over():
    left, right = socket.socketpair()
    for number in range(3, 64):
        try:
            socket.send_fds(left, [b"x"], [number])
        except OSError:
            pass
note("hand it on", hand_over)
"""
)

ATTACKS = (
    Hostile("forged-reply", "answers the grader in the kernel's place", FORGED_REPLY, ends=".", source=SALIGRAMA),
    Hostile("forged-runs", "sends wrong values for every exercise before they begin", FORGED_RUNS, ends=".|^$",
            source=INGINIOUS),
    Hostile("forged-end", "says that all is done", FORGED_END, ends="."),
    Hostile("forged-state", "sends messages that name other cells and limits", FORGED_STATE, ends="."),
    Hostile("lengths", "announces more than it sends", LENGTHS, ends="output|waiting"),
    Hostile("malformed-values", "sends what only looks like values", MALFORMED, ends="."),
    Hostile("floods-channel", "sends without end", FLOODS_CHANNEL, ends="output|CPU time|clock"),
    Hostile("trickles", "sends a byte now and then, for ever", TRICKLES, ends="output|waiting|clock"),
    Hostile("closes-channel", "closes everything and waits", CLOSES, ends="."),
    Hostile("reopens-channel", "opens the channel once more, hands it on", REOPENS, ends=".|^$"),
)  # fmt: skip
