import type { TestContext } from "node:test";
import { decodePackets, encodePacket } from "../../../src/index.ts";
import { WsClient } from "./ws-client.ts";

/** A packet as a test writes it; its content as text. */
export interface WrittenPacket {
  readonly type?: number;
  readonly who?: number;
  readonly content?: string;
}

/** A client of `sluice.packet.v1`. */
export class PacketClient {
  readonly ws: WsClient;

  private constructor(ws: WsClient) {
    this.ws = ws;
  }

  static async connect(context: TestContext, port: number, path = "/"): Promise<PacketClient> {
    return new PacketClient(await WsClient.connect(context, port, { path, protocols: ["sluice.packet.v1"] }));
  }

  /** Sends packets in one message. */
  send(...packets: WrittenPacket[]): void {
    this.ws.send(Buffer.concat(packets.map(bytesOf)));
  }

  /** The packets of the next message. */
  async next(): Promise<Required<WrittenPacket>[]> {
    const message = await this.ws.next();
    if (typeof message === "string") throw new Error("the server sent a text");
    const packets = decodePackets(message, { maxPackets: 1_000, maxContentBytes: 1_000_000 });
    if (!Array.isArray(packets)) throw new Error(packets.reason);
    return packets.map(({ type, who, content }) => ({ type, who, content: Buffer.from(content).toString() }));
  }
}

function bytesOf({ type = 0, who = 0, content = "" }: WrittenPacket): Buffer {
  return encodePacket({ type, who, content: Buffer.from(content) });
}
