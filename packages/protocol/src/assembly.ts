import type { Memory } from "./memory.ts";

/** One message that comes in chunks, in memory that grows with what came and never with what was announced. */
export class Assembly {
  readonly #memory: Memory;
  #bytes: Uint8Array | undefined;
  #end = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** Bytes of the message that have come. */
  get length(): number {
    return this.#end;
  }

  /** Adds a chunk; false where there is no memory for it. */
  add(chunk: Uint8Array, maxMessageBytes: number): boolean {
    const end = this.#end + chunk.length;
    let bytes = this.#bytes;
    if (bytes === undefined || end > bytes.length) {
      const size = Math.max(end, Math.min(end * 2, maxMessageBytes));
      const growth = size - (bytes?.length ?? 0);
      if (growth > this.#memory.forAssembly) return false;
      this.#memory.forAssembly -= growth;
      const larger = new Uint8Array(size);
      if (bytes !== undefined) larger.set(bytes);
      this.#bytes = bytes = larger;
    }
    bytes.set(chunk, this.#end);
    this.#end = end;
    return true;
  }

  /** The whole message; the assembly begins anew. */
  take(): Uint8Array {
    const message = (this.#bytes as Uint8Array).subarray(0, this.#end);
    this.drop();
    return message;
  }

  /** Forgets what came. */
  drop(): void {
    this.#memory.forAssembly += this.#bytes?.length ?? 0;
    this.#bytes = undefined;
    this.#end = 0;
  }
}
