/** What stands between two bytes of a response's body. */
type State =
  | { readonly kind: "head"; text: string }
  | { readonly kind: "body"; left: number }
  | { readonly kind: "chunk size"; text: string }
  | { readonly kind: "chunk"; left: number }
  | { readonly kind: "trailers"; text: string };

/** Reads responses of HTTP/1.1, one after the other, from the bytes of a connection (RFC 9112). */
export class HttpResponseReader {
  readonly #onBody: (bytes: Buffer) => void;
  #state: State = { kind: "head", text: "" };

  /** `onBody` gets pieces of the body, which are overwritten after the call. */
  constructor(onBody: (bytes: Buffer) => void) {
    this.#onBody = onBody;
  }

  /**
   * Takes bytes; true when they end a response. Throws an `Error` for a status other than 200, and for bytes behind
   * the end.
   */
  push(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      at = this.#step(this.#state, bytes, at);
      if (this.#state.kind !== "head" || this.#state.text !== "") continue;
      if (at < bytes.length) throw new Error(`${bytes.length - at} bytes follow the response`);
      return true;
    }
    return false;
  }

  #step(state: State, bytes: Buffer, at: number): number {
    switch (state.kind) {
      case "head": {
        const next = this.#line(state, bytes, at, "\r\n\r\n");
        if (next > 0) this.#state = bodyOf(state.text);
        if (this.#state.kind === "body" && this.#state.left === 0) this.#state = { kind: "head", text: "" };
        return Math.abs(next);
      }
      case "body":
      case "chunk": {
        const end = Math.min(bytes.length, at + state.left);
        const isChunk = state.kind === "chunk";
        // The two bytes behind a chunk are no part of the body.
        const bodyEnd = isChunk ? Math.min(end, at + state.left - 2) : end;
        if (bodyEnd > at) this.#onBody(bytes.subarray(at, bodyEnd));
        state.left -= end - at;
        if (state.left === 0)
          this.#state = isChunk ? { kind: "chunk size", text: "" } : { kind: "head", text: "" };
        return end;
      }
      case "chunk size": {
        const next = this.#line(state, bytes, at, "\r\n");
        if (next <= 0) return -next;
        const size = Number.parseInt(state.text, 16);
        if (Number.isNaN(size)) throw new Error(`no size of a chunk: ${state.text}`);
        this.#state = size === 0 ? { kind: "trailers", text: "\r\n" } : { kind: "chunk", left: size + 2 };
        return next;
      }
      case "trailers": {
        const next = this.#line(state, bytes, at, "\r\n\r\n");
        if (next > 0) this.#state = { kind: "head", text: "" };
        return Math.abs(next);
      }
    }
  }

  /** Adds to the text up to where it ends; answers the position behind that, or minus the length where it does not. */
  #line(state: { text: string }, bytes: Buffer, at: number, ending: string): number {
    const found = state.text === "" ? bytes.indexOf(ending, at, "latin1") : -1;
    if (found >= 0) {
      state.text = bytes.toString("latin1", at, found);
      return found + ending.length;
    }
    for (let end = at; end < bytes.length; end++) {
      state.text += String.fromCharCode(bytes[end] ?? 0);
      if (state.text.endsWith(ending)) return end + 1;
    }
    return -bytes.length;
  }
}

function bodyOf(head: string): State {
  if (!head.startsWith("HTTP/1.1 200 ")) throw new Error(`not the answer that was wanted: ${head}`);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length !== undefined) return { kind: "body", left: Number(length) };
  if (!/^transfer-encoding: *chunked/im.test(head)) throw new Error(`a response without a length: ${head}`);
  return { kind: "chunk size", text: "" };
}
