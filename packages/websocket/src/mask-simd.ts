/** memory[at + offset] ^= key, as vectors of 16 bytes. */
function step(offset: number): number[] {
  return [0x20, 2, 0x20, 2, 0xfd, 0x00, 4, offset, 0x20, 3, 0xfd, 0x51, 0xfd, 0x0b, 4, offset];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}

function section(id: number, ...content: number[]): number[] {
  return [id, content.length, ...content];
}

/**
 * A WebAssembly module of one function that XORs its own memory, 64 bytes a turn: `mask(length, key)`. For a large
 * payload, with the copies in and out, it takes half the time of XORing words in JavaScript.
 */
function assemble(): Uint8Array<ArrayBuffer> {
  const body = [
    [2, 1, 0x7f, 1, 0x7b], // locals: at (i32) and key (v128)
    [0x20, 1, 0xfd, 0x11, 0x21, 3], // key = the mask in all four lanes
    [0x03, 0x40, step(0), step(16), step(32), step(48)].flat(), // loop
    [0x20, 2, 0x41, 0xc0, 0x00, 0x6a, 0x22, 2, 0x20, 0, 0x49, 0x0d, 0, 0x0b, 0x0b], // while (at += 64) < length
  ].flat();
  return Uint8Array.from(
    [
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, 1, 0x60, 2, 0x7f, 0x7f, 0), // one type: (i32, i32) -> ()
      section(3, 1, 0), // one function of that type
      section(5, 1, 0, 1), // one page of memory
      section(7, 2, ...name("mask"), 0, 0, ...name("memory"), 2, 0),
      section(10, 1, body.length, ...body),
    ].flat(),
  );
}

interface Exports {
  readonly mask: (length: number, key: number) => void;
  readonly memory: { readonly buffer: ArrayBuffer };
}

interface WasmApi {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

function instantiate(): Exports | undefined {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WasmApi };
  if (WebAssembly === undefined) return undefined;
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(assemble())).exports as Exports;
  } catch {
    // No vector instructions, or no address space to spare: plain JavaScript does it too.
    return undefined;
  }
}

const exported = instantiate();
const memory = exported === undefined ? new Uint8Array(0) : new Uint8Array(exported.memory.buffer);

/** Whether `maskBySimd` works here. */
export const simdAvailable: boolean = exported !== undefined;

/** XORs bytes in place with a mask whose first byte is in the low 8 bits. */
export function maskBySimd(data: Uint8Array, mask: number): void {
  for (let at = 0; at < data.length; at += memory.length) {
    // A page of memory is a multiple of 4, so the mask begins anew with each turn.
    const part = data.length <= memory.length ? data : data.subarray(at, at + memory.length);
    memory.set(part);
    exported!.mask(part.length, mask);
    part.set(part.length === memory.length ? memory : memory.subarray(0, part.length));
  }
}
