// oxlint-disable-next-line import/no-unassigned-import -- It adds to Reflect what Nest reads.
import "reflect-metadata";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { IoAdapter } from "@nestjs/platform-socket.io";
import { SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { type AttachableServer, Server, type ServerOptions, type Socket } from "@sluice/socketio";

/** Has the gateways of an application listen with @sluice/socketio. All of Nest's own adapter but the server stays. */
class SluiceAdapter extends IoAdapter {
  override createIOServer(port: number, options?: Partial<ServerOptions>): Server {
    return new Server(port === 0 ? (this.httpServer as AttachableServer) : port, options);
  }
}

class ChatGateway {
  say(socket: Socket, text: string): number {
    socket.broadcast.emit("said", text);
    return socket.nsp.sockets.size - 1;
  }
}

// oxlint-disable-next-line typescript/no-extraneous-class -- A module of Nest is a class.
class AppModule {}

// With `experimentalDecorators` these are the decorators @SubscribeMessage("say"), @WebSocketGateway() and @Module(…).
const say = Object.getOwnPropertyDescriptor(ChatGateway.prototype, "say") ?? {};
SubscribeMessage("say")(ChatGateway.prototype, "say", say);
WebSocketGateway()(ChatGateway);
Module({ providers: [ChatGateway] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: ["error"] });
app.useWebSocketAdapter(new SluiceAdapter(app));
await app.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1");
console.log(await app.getUrl());
