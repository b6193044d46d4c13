/**
 * A function of bytes that does not do its work again for the very bytes that it was given last: what many listeners
 * are told in turn is encoded once.
 */
export function rememberLast<Result>(of: (bytes: Uint8Array) => Result): (bytes: Uint8Array) => Result {
  let last: { readonly bytes: Uint8Array; readonly result: Result } | undefined;
  return (bytes) => {
    if (last?.bytes !== bytes) last = { bytes, result: of(bytes) };
    return last.result;
  };
}
