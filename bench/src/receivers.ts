/**
 * Many clients in a process of their own, which connect and then count what comes. Arguments: port, number of
 * connections, "upgrade" or "bare", and the extensions to offer.
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { createCompressedMessages } from "./compressed-conversation.ts";
import { openConnection } from "./connection.ts";
import { FrameCounter } from "./frame-counter.ts";
import { encodeFrame } from "./frame.ts";
import { createJsonDocuments } from "./json-documents.ts";
import type { ReceiverAnswer, ReceiverQuestion } from "./receiver-process.ts";

const [portText, countText, how, extensions] = process.argv.slice(2);
const count = Number(countText);
const upgrade = how === "upgrade";
const atOnce = 64;

let frames = 0;
let wanted = Number.POSITIVE_INFINITY;

function tell(answer: ReceiverAnswer): void {
  process.send?.(answer);
}

function receive(counter: FrameCounter, bytes: Buffer): void {
  frames += counter.push(bytes);
  if (frames < wanted) return;
  wanted = Number.POSITIVE_INFINITY;
  tell({ received: frames });
}

function requestOf(bytes: number): Buffer {
  const documents = createJsonDocuments(1, bytes);
  if (extensions !== undefined) return createCompressedMessages(documents)[0]?.request ?? Buffer.alloc(0);
  // A bare server sends the very bytes back, and only unmasked frames are counted here.
  return encodeFrame(Buffer.concat(documents), upgrade ? { mask: randomBytes(4) } : {});
}

const sockets: Socket[] = [];

async function connectSome(): Promise<void> {
  while (sockets.length + opening < count) {
    opening++;
    const counter = new FrameCounter();
    const socket = await openConnection({
      port: Number(portText),
      upgrade,
      ...(extensions !== undefined && { extensions }),
      onBytes: (bytes) => receive(counter, bytes),
      onError: (error) => {
        throw error;
      },
    });
    opening--;
    sockets.push(socket);
  }
}

let opening = 0;
await Promise.all(Array.from({ length: atOnce }, connectSome));

process.on("message", (message) => {
  const question = message as ReceiverQuestion;
  if (question.ask === "expect") {
    frames = 0;
    wanted = question.frames;
    tell({});
    return;
  }
  const frame = requestOf(question.bytes);
  frames = 0;
  wanted = sockets.length;
  for (const socket of sockets) socket.write(frame);
});
process.on("disconnect", () => process.exit());
tell({});
