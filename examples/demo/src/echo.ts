import type {
  sendUnaryData,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
} from "@grpc/grpc-js";

interface Text {
  readonly text: string;
}

interface RepeatRequest extends Text {
  readonly count: number;
  readonly intervalMs: number;
}

/** One in, one out. */
export function say(call: ServerUnaryCall<Text, Text>, reply: sendUnaryData<Text>): void {
  reply(null, { text: call.request.text });
}

/** One in, many out. */
export function repeat(call: ServerWritableStream<RepeatRequest, Text>): void {
  const { text, count, intervalMs } = call.request;
  let left = Math.min(count === 0 ? 3 : count, 1000);
  const next = (): void => {
    if (left-- <= 0) {
      call.end();
      return;
    }
    call.write({ text });
    timer = setTimeout(next, intervalMs);
  };
  let timer: NodeJS.Timeout | undefined;
  call.on("cancelled", () => clearTimeout(timer));
  next();
}

/** Many in, one out. */
export function collect(
  call: ServerReadableStream<Text, { texts: readonly string[] }>,
  reply: sendUnaryData<{ texts: readonly string[] }>,
): void {
  const texts: string[] = [];
  call.on("data", ({ text }: Text) => texts.push(text));
  call.on("end", () => reply(null, { texts }));
}

/** Many in, many out, at the same time. */
export function converse(call: ServerDuplexStream<Text, Text>): void {
  call.on("data", ({ text }: Text) => call.write({ text }));
  call.on("end", () => call.end());
  // A client that leaves ends the call; there is nobody to tell.
  call.on("error", () => undefined);
}
