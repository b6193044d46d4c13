"""The backend of the chat once more, in Python: python3 backend.py [address], by default 127.0.0.1:50051."""

import json
import os
import re
import sys
import threading
from concurrent import futures
from pathlib import Path

import grpc

# Where the .proto files are; grpcio-tools compiles them when they are loaded.
packages = Path(__file__).resolve().parents[3] / "packages"
sys.path += [str(packages / "gateway/proto"), str(packages / "rpc/proto")]
session_pb, session_grpc = grpc.protos_and_services("sluice/session/v1/session.proto")
push_pb, push_grpc = grpc.protos_and_services("sluice/push/v1/push.proto")

ROOM = "lobby"  # the one room of this chat


def line(text, **said_by):
    return session_pb.Payload(text=json.dumps({"text": text, **said_by}))


def tell_all(text, **said_by):
    return session_pb.Effect(publish=session_pb.Publish(room=ROOM, payload=line(text, **said_by)))


class Chat(session_grpc.SessionHandlerServicer):
    """Keeps nothing itself: the name of a session is in the state that the gateway keeps with it."""

    def __init__(self, push):
        self.push = push

    def Connect(self, request, context):
        name = request.session.query.get("name", "")
        if not name:
            deny = session_pb.Deny(code=4400, reason="say who you are: /ws?name=Ann")
            return session_pb.ConnectResponse(deny=deny)
        return session_pb.ConnectResponse(
            effects=[
                session_pb.Effect(set_state=session_pb.SetState(set={"name": name})),
                session_pb.Effect(join=session_pb.Join(room=ROOM)),
                tell_all(f"{name} has come"),
            ]
        )

    def Message(self, request, context):
        text = request.payload.text
        reminder = re.fullmatch(r"/remind (\d+) (.+)", text, re.DOTALL)
        if reminder is None:
            return session_pb.MessageResponse(effects=[tell_all(text, name=request.session.state["name"])])
        seconds, what = reminder.groups()
        timer = threading.Timer(int(seconds), self.send, [request.session.id, line(f"Remember: {what}")])
        timer.daemon = True
        timer.start()
        promise = line(f"You will be reminded in {seconds} seconds.")
        return session_pb.MessageResponse(
            effects=[session_pb.Effect(send=session_pb.Send(payload=promise))]
        )

    def Disconnect(self, request, context):
        name = request.session.state.get("name", "Somebody")
        return session_pb.DisconnectResponse(effects=[tell_all(f"{name} has gone")])

    def send(self, session, payload):
        """Says something at a moment when nobody asks: the push API of the gateway."""
        try:
            self.push.Send(push_pb.SendRequest(sessions=[session], payload=payload))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                print(error, file=sys.stderr)


def main():
    channel = grpc.insecure_channel(os.environ.get("PUSH_ADDRESS", "127.0.0.1:8081"))
    chat = Chat(push_grpc.PushStub(channel))
    server = grpc.server(futures.ThreadPoolExecutor())
    session_grpc.add_SessionHandlerServicer_to_server(chat, server)
    port = server.add_insecure_port(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
    server.start()
    print(f"the chat is at 127.0.0.1:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
