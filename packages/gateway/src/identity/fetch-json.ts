/** What bounds a fetch. */
export interface FetchLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Ends the fetch. */
  readonly signal: AbortSignal;
}

/**
 * Fetches a JSON document. Redirects are not followed: they would lead where the configuration does not say.
 * Throws an Error whose message is the rest of a sentence.
 */
export async function fetchJson(url: URL, { timeoutMs, maxBytes, signal }: FetchLimits): Promise<unknown> {
  const deadline = AbortSignal.timeout(timeoutMs);
  let text: string;
  try {
    const response = await fetch(url, {
      headers: { accept: "application/jwk-set+json, application/json" },
      redirect: "manual",
      signal: AbortSignal.any([signal, deadline]),
    });
    text = await readBody(response, maxBytes);
  } catch (error) {
    if (error instanceof BadAnswer) throw error;
    const why = deadline.aborted
      ? `gives no answer within ${timeoutMs} ms`
      : `cannot be reached (${reasonOf(error)})`;
    throw new Error(why, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new BadAnswer("answers with what is not JSON");
  }
}

/** An answer that came, and will not do. */
class BadAnswer extends Error {}

async function readBody({ status, body }: Response, maxBytes: number): Promise<string> {
  if (status !== 200 || body === null) {
    await body?.cancel();
    const isRedirect = status >= 300 && status < 400;
    throw new BadAnswer(
      isRedirect
        ? `redirects (${status}), which is not followed; give the address that it leads to`
        : `answers with the status ${status}`,
    );
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop cancels the rest of the body.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BadAnswer(`answers with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The system's code for why there is no connection, which `fetch` hides in causes. */
function reasonOf(error: unknown): string {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ("code" in each && typeof each.code === "string") return each.code;
  }
  return error instanceof Error ? error.message : String(error);
}
