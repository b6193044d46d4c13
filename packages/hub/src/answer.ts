import type { Message } from "./message.ts";

/** What a client's message came to: it was taken, perhaps with a reply, or refused. */
export type Answer =
  | { readonly ok: true; readonly reply?: Message }
  | {
      readonly ok: false;
      /** The name of a gRPC status code, such as `UNAVAILABLE`. */
      readonly code: string;
      /** For people; the client is told. */
      readonly message: string;
      /** The same as a serialized `google.rpc.Status`, for binary wires. Default: made of code and message. */
      readonly status?: Uint8Array;
    };

/** Takes the answer to a message; what is told after the first does nothing. */
export type AnswerListener = (answer: Answer) => void;
