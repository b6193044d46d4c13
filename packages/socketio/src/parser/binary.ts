import { SocketIoError } from "../error.ts";

const MARK = "_placeholder";

/** What stands in JSON for an attachment. */
interface Placeholder {
  readonly [MARK]: true;
  readonly num: number;
}

/** What is deeper in a value is left to JSON.stringify, whose error says better what is wrong with a cycle. */
const MAX_DEPTH = 1000;

/** Whether there are bytes anywhere in a value: an ArrayBuffer, or a view of one such as a Buffer. */
export function hasBinary(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return false;
  if (isBinary(value)) return true;
  if (Array.isArray(value)) return value.some((each) => hasBinary(each, depth + 1));
  const plain = plainOf(value);
  if (plain !== value) return hasBinary(plain, depth + 1);
  for (const each of Object.values(value)) {
    if (hasBinary(each, depth + 1)) return true;
  }
  return false;
}

/** A copy of a value with placeholders for its bytes, which are added to the attachments. */
export function deconstruct(value: unknown, attachments: Uint8Array[], depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return value;
  if (isBinary(value)) {
    const placeholder: Placeholder = { [MARK]: true, num: attachments.length };
    attachments.push(bytesOf(value));
    return placeholder;
  }
  if (Array.isArray(value)) return value.map((each) => deconstruct(each, attachments, depth + 1));
  const plain = plainOf(value);
  if (plain !== value) return deconstruct(plain, attachments, depth + 1);
  // Without a prototype, so that a key of any name is only that.
  const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, each] of Object.entries(value)) copy[key] = deconstruct(each, attachments, depth + 1);
  return copy;
}

/**
 * Puts attachments in the places of their placeholders, in a value fresh from JSON, and answers it. Throws
 * `packet_invalid` for a placeholder of an attachment that there is not. Any depth of nesting will do.
 */
export function reconstruct(value: unknown, attachments: readonly Uint8Array[]): unknown {
  const root = [value];
  const containers: object[] = [root];
  for (let container = containers.pop(); container !== undefined; container = containers.pop()) {
    const holder = container as Record<string, unknown>;
    for (const key of Object.keys(holder)) {
      const each = holder[key];
      if (typeof each !== "object" || each === null) continue;
      if (isPlaceholder(each)) holder[key] = attachmentOf(each, attachments);
      else containers.push(each);
    }
  }
  return root[0];
}

function attachmentOf({ num }: { readonly num: unknown }, attachments: readonly Uint8Array[]): Uint8Array {
  // Anything but an index could name something else of the array.
  const attachment = typeof num === "number" && Number.isInteger(num) ? attachments[num] : undefined;
  if (attachment !== undefined) return attachment;
  throw new SocketIoError("packet_invalid", "a placeholder must name one of the packet's attachments");
}

function isPlaceholder(value: object): value is { readonly num: unknown } {
  return Object.hasOwn(value, MARK) && (value as Record<string, unknown>)[MARK] === true;
}

/** Whether it is bytes: an ArrayBuffer, or a view of one. */
export function isBinary(value: object): value is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** The bytes, not copied. */
export function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** What an object says of itself for JSON. */
function plainOf(value: object): unknown {
  if (!("toJSON" in value) || typeof value.toJSON !== "function") return value;
  return (value.toJSON as () => unknown)();
}
