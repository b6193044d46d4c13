import type { JsonValue } from "../message-codec.ts";
import type { Ranges } from "./ranges.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/**
 * Writes the content of a message, without its tag and length.
 *
 * `depth` is 1 for the outermost message. What is `inAny` has an `@type` beside its fields. Throws a JsonFault.
 */
export type WriteMessage = (json: JsonValue, writer: WireWriter, depth: number, inAny: boolean) => void;

/**
 * Reads the content of a message, from the reader's position to `end` and then in the further ranges, as JSON
 * text. An object begins with `head`: `{`, or in an Any `{"@type":"…"`. Throws an RpcError `protobuf_invalid`.
 */
export type ReadMessage = (
  reader: WireReader,
  end: number,
  depth: number,
  more?: Ranges,
  head?: string,
) => string;

/** Both directions of one message type. */
export interface Unit {
  /** Whether the type has a JSON form of its own, which in an Any stands under `value`. */
  readonly custom: boolean;
  write: WriteMessage;
  read: ReadMessage;
}

/** Finds the unit of the type with a full name, for Any. */
export type FindUnit = (typeName: string) => Unit | undefined;
