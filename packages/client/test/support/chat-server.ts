import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** The schema of the chat, for clients and gateways. */
export const chatProtoPath: string = fileURLToPath(new URL("../proto/chat.proto", import.meta.url));

interface Post {
  readonly room: string;
  readonly author: string;
  readonly text: string;
}

/** A gRPC server with rooms: `sluice.chat.v1.Chat`. */
export interface ChatServer {
  /** `host:port`. */
  readonly address: string;
  close(): void;
}

/** Starts a chat server on a free port. */
export async function startChatServer(): Promise<ChatServer> {
  const rooms = new Map<string, Set<grpc.ServerDuplexStream<Post, Post>>>();
  const join: grpc.handleBidiStreamingCall<Post, Post> = (call) => {
    let room: Set<typeof call> | undefined;
    call.on("data", (post: Post) => {
      if (room === undefined) {
        room = rooms.get(post.room) ?? new Set();
        rooms.set(post.room, room.add(call));
      }
      for (const member of room) member.write(post);
    });
    call.on("cancelled", () => room?.delete(call));
    call.on("end", () => {
      room?.delete(call);
      call.end();
    });
  };
  const definition = grpc.loadPackageDefinition(loadSync(chatProtoPath));
  const namespace = ["sluice", "chat", "v1", "Chat"].reduce<unknown>(
    (scope, name) => (scope as Record<string, unknown>)[name],
    definition,
  );
  const server = new grpc.Server();
  server.addService((namespace as grpc.ServiceClientConstructor).service, { Join: join });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}
