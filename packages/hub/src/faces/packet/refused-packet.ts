import type { Answer } from "../../answer.ts";
import { numberOfCode } from "../status-code.ts";
import type { Packet } from "./packet-codec.ts";

/** The type of packets that tell a client that one of its packets was refused. No client may send it. */
export const refusedPacketType = 0xff_ff_ff_ff;

/** The packet of a refusal: its content is a serialized `google.rpc.Status`. */
export function refusedPacket({ code, message, status }: Extract<Answer, { ok: false }>): Packet {
  return { type: refusedPacketType, who: 0, content: status ?? encodeStatus(numberOfCode(code), message) };
}

/** A `google.rpc.Status` without details: `int32 code = 1; string message = 2;`, the code below 128. */
function encodeStatus(code: number, message: string): Uint8Array {
  const text = Buffer.from(message);
  return Buffer.concat([Buffer.from([0x08, code, 0x12, ...varint(text.length)]), text]);
}

/** A number below 2^32 in groups of seven bits, the lowest first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}
