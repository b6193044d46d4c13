import { SocketIoError } from "../error.ts";
import { checkData, tooDeep } from "../parser/decode-text.ts";
import { Decoder } from "../parser/decoder.ts";
import { Encoder } from "../parser/encoder.ts";
import { isDeeper, maxNesting } from "../parser/nesting.ts";
import { type Packet, PacketType } from "../parser/packet.ts";

/** Encodes packets. One serves all clients. */
export interface PacketEncoder {
  /** The messages of a packet, which are sent together. */
  encode(packet: Packet): readonly (string | Uint8Array)[];
}

/** Decodes the messages of one client, as the parsers of Socket.IO do: it emits `decoded` for each packet. */
export interface PacketDecoder {
  /** A message came. May throw; then the connection is closed. */
  add(message: string | Buffer): unknown;
  /** The connection has ended. */
  destroy?(): unknown;
  /** Is called once, with `decoded`. */
  on(name: "decoded", listener: (packet: Packet) => void): unknown;
}

/** Another codec than the default one, such as the package socket.io-msgpack-parser. Client and server must have the same. */
export interface CustomParser {
  readonly Encoder: new () => PacketEncoder;
  readonly Decoder: new () => PacketDecoder;
}

/** What a connection reads with. */
export interface MessageReader {
  /** A message came. Answers the packet that it completes; a custom decoder tells its owner. Throws where it cannot. */
  add(message: string | Buffer): Packet | undefined;
  /** The connection has ended. */
  destroy(): void;
}

/** Whose messages a custom decoder reads. */
export interface ReaderOwner {
  _ondecoded(packet: Packet): void;
  _onunreadable(cause: unknown): void;
}

/** The codec of a server. */
export interface Codec {
  readonly encoder: PacketEncoder;
  /** A reader for one client. */
  createReader(owner: ReaderOwner): MessageReader;
}

/** The codec of a parser; without one that of the protocol's revisions 4 and 5. */
export function createCodec(parser: CustomParser | undefined): Codec {
  if (parser === undefined) return { encoder: new Encoder(), createReader: () => new Decoder() };
  return {
    encoder: new parser.Encoder(),
    createReader: (owner) => new CustomReader(new parser.Decoder(), owner),
  };
}

class CustomReader implements MessageReader {
  readonly #decoder: PacketDecoder;

  constructor(decoder: PacketDecoder, owner: ReaderOwner) {
    this.#decoder = decoder;
    decoder.on("decoded", (given: unknown) => {
      let packet: Packet;
      try {
        packet = packetFrom(given);
      } catch (error) {
        owner._onunreadable(error);
        return;
      }
      owner._ondecoded(packet);
    });
  }

  add(message: string | Buffer): undefined {
    this.#decoder.add(message);
  }

  destroy(): void {
    this.#decoder.destroy?.();
  }
}

/** What somebody else's decoder gives may be anything. */
function packetFrom(given: unknown): Packet {
  if (typeof given !== "object" || given === null) throw invalid("a packet must be an object");
  const { type: givenType, nsp, id, data } = given as Record<string, unknown>;
  if (typeof nsp !== "string") throw invalid("a packet must name its namespace");
  if (id !== undefined && !isId(id)) throw invalid("the id of a packet must be a whole number");
  const type = typeFrom(givenType);
  checkData(type, data, id);
  if (isDeeper(data, maxNesting)) throw tooDeep();
  return { type, nsp, id, data };
}

/** How bytes have travelled is nothing to the application. */
function typeFrom(type: unknown): PacketType {
  if (type === PacketType.BINARY_EVENT) return PacketType.EVENT;
  if (type === PacketType.BINARY_ACK) return PacketType.ACK;
  if (typeof type === "number" && type >= 0 && type <= 4 && Number.isInteger(type)) return type as PacketType;
  throw invalid("a packet must have a type, 0 to 6");
}

function isId(id: unknown): id is number {
  return Number.isSafeInteger(id) && (id as number) >= 0;
}

function invalid(message: string): SocketIoError {
  return new SocketIoError("packet_invalid", message);
}
