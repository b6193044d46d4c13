"""A client with python-socketio, which does what python.test.ts expects and prints what it was told."""

import json
import queue
import sys

import socketio

SECONDS = 10


def main(url: str, transports: list[str]) -> None:
    told: dict[str, object] = {}
    connected: queue.Queue[str] = queue.Queue()
    events: queue.Queue[object] = queue.Queue()
    client = socketio.Client(reconnection_delay=0.01, reconnection_delay_max=0.05, randomization_factor=0)
    client.on("connect", lambda: connected.put("/"))
    client.on("connect", lambda: connected.put("/chat"), namespace="/chat")
    client.on("told", lambda data: events.put(data))
    client.on("question", lambda data: (data, b"\x01\x02"))

    client.connect(url, transports=transports, namespaces=["/", "/chat"], auth={"token": "secret"})
    told["connected"] = sorted(connected.get(timeout=SECONDS) for _ in range(2))
    told["transport"] = client.transport()
    told["echo"] = client.call("echo", ("one", {"two": [3, None, True, "\U0001f600"]}), timeout=SECONDS)
    told["elsewhere"] = client.call("echo", "chat", namespace="/chat", timeout=SECONDS)
    data = bytes(range(256))
    told["bytes"] = client.call("echo", {"data": data}, timeout=SECONDS) == {"data": data}
    large = "large" * 100_000
    told["large"] = client.call("echo", large, timeout=SECONDS) == large
    told["answered"] = client.call("ask me", timeout=SECONDS)

    client.call("join", "room", timeout=SECONDS)
    client.emit("tell", ("room", "text"))
    told["text"] = events.get(timeout=SECONDS)
    client.emit("tell", ("room", data))
    told["room bytes"] = events.get(timeout=SECONDS) == data

    client.emit("lose me")
    told["again"] = sorted(connected.get(timeout=SECONDS) for _ in range(2))
    told["echo again"] = client.call("echo", "here", timeout=SECONDS)
    client.disconnect()
    client.wait()

    refused: queue.Queue[object] = queue.Queue()
    other = socketio.Client(reconnection=False)
    other.on("connect_error", lambda data: refused.put(data), namespace="/denied")
    try:
        other.connect(url, transports=transports, namespaces=["/denied"])
    except socketio.exceptions.ConnectionError:
        told["refused"] = refused.get(timeout=SECONDS)
    print(json.dumps(told))


main(sys.argv[1], sys.argv[2].split(","))
