import { createServer } from "node:http";
import { Client, credentials, Metadata, type ClientDuplexStream, type StatusObject } from "@grpc/grpc-js";
import { WebSocketServer, type RawData } from "ws";
import { listen } from "./listen.ts";

/** What a client says of its calls, as a text message; messages of calls are binary, behind the number of the call. */
interface Control {
  readonly id: number;
  /** Opens a call. */
  readonly method?: string;
  /** The client sends no more. */
  readonly end?: boolean;
}

/** A message is passed on as it is. */
const same = (bytes: Buffer): Buffer => bytes;

/**
 * A gateway as one writes it by hand: `ws`, any number of calls on a socket by their numbers, and grpc-js with one
 * channel. Resolves to its port.
 */
export function startWsGrpcJs(backend: string): Promise<number> {
  const client = new Client(backend, credentials.createInsecure());
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    const calls = new Map<number, ClientDuplexStream<Buffer, Buffer>>();
    const open = (id: number, method: string): void => {
      const call = client.makeBidiStreamRequest(method, same, same, new Metadata());
      calls.set(id, call);
      call.on("data", (message: Buffer) => {
        const reply = Buffer.allocUnsafe(4 + message.length);
        reply.writeUInt32BE(id);
        message.copy(reply, 4);
        socket.send(reply);
      });
      call.on("error", () => undefined);
      call.on("status", ({ code, details }: StatusObject) => {
        calls.delete(id);
        socket.send(JSON.stringify({ id, code, details }));
      });
    };
    socket.on("message", (data: RawData, isBinary: boolean) => {
      const bytes = data as Buffer;
      if (isBinary) {
        calls.get(bytes.readUInt32BE())?.write(bytes.subarray(4));
        return;
      }
      const { id, method, end } = JSON.parse(bytes.toString()) as Control;
      if (method !== undefined) open(id, method);
      else if (end === true) calls.get(id)?.end();
    });
    socket.on("close", () => {
      for (const call of calls.values()) call.cancel();
    });
  });
  return listen(server);
}
