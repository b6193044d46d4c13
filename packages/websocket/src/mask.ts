import { randomFillSync } from "node:crypto";
import * as http from "node:http";
import { maskBySimd, simdAvailable } from "./mask-simd.ts";

/** Below this a plain loop is faster than making a view of words. Measured on Node 20: 64 bytes. */
const WORDS_FROM_BYTES = 64;
/** Below this the call into Node costs more than the loop. */
const NATIVE_FROM_BYTES = 256;
/** Below this the copies into WebAssembly's memory and out of it cost more than the loop of words. */
const SIMD_FROM_BYTES = 1024;

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

type NativeUnmask = (data: Buffer, mask: Buffer) => void;

/** `http.websocketUnmask` of the newest Node versions, where it exists. */
const nativeUnmask = (http as { readonly websocketUnmask?: NativeUnmask }).websocketUnmask;
const nativeMask = Buffer.alloc(4);

/**
 * Masks or unmasks bytes in place (RFC 6455 section 5.3: the two are the same).
 * `mask` holds the key's first byte in its low 8 bits; it belongs to the byte at `start`.
 */
export function applyMask(data: Buffer, start: number, end: number, mask: number): void {
  if (end - start >= WORDS_FROM_BYTES) {
    if (nativeUnmask !== undefined && end - start >= NATIVE_FROM_BYTES) {
      nativeMask.writeInt32LE(mask);
      nativeUnmask(data.subarray(start, end), nativeMask);
      return;
    }
    if (simdAvailable && end - start >= SIMD_FROM_BYTES) {
      applyByBytes(data, maskBySimd(data, start, end, mask), end, mask);
      return;
    }
    if (littleEndian) {
      applyByWords(data, start, end, mask);
      return;
    }
  }
  applyByBytes(data, start, end, mask);
}

/** The mask for the bytes that follow after `count` bytes of the payload have been masked. */
export function rotateMask(mask: number, count: number): number {
  const bits = (count & 3) << 3;
  return bits === 0 ? mask : (mask >>> bits) | (mask << (32 - bits));
}

function applyByBytes(data: Buffer, start: number, end: number, mask: number): void {
  const mask1 = mask >>> 8;
  const mask2 = mask >>> 16;
  const mask3 = mask >>> 24;
  const last = end - 3;
  let at = start;
  // A typed array takes the low 8 bits of what is assigned.
  for (; at < last; at += 4) {
    data[at]! ^= mask;
    data[at + 1]! ^= mask1;
    data[at + 2]! ^= mask2;
    data[at + 3]! ^= mask3;
  }
  if (at < end) data[at]! ^= mask;
  if (at + 1 < end) data[at + 1]! ^= mask1;
  if (at + 2 < end) data[at + 2]! ^= mask2;
}

function applyByWords(data: Buffer, start: number, end: number, mask: number): void {
  const address = data.byteOffset + start;
  const head = -address & 3;
  const count = (end - start - head) >>> 2;
  const words = new Int32Array(data.buffer, address + head, count);
  applyByBytes(data, start, start + head, mask);
  const aligned = rotateMask(mask, head);
  const last = count & ~3;
  let index = 0;
  for (; index < last; index += 4) {
    words[index]! ^= aligned;
    words[index + 1]! ^= aligned;
    words[index + 2]! ^= aligned;
    words[index + 3]! ^= aligned;
  }
  for (; index < count; index++) words[index]! ^= aligned;
  applyByBytes(data, start + head + (count << 2), end, aligned);
}

const pool = new Int32Array(2048);
let used = pool.length;

/** A fresh masking key, unpredictable as section 5.3 demands. */
export function randomMask(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool[used++]!;
}
