/**
 * Many clients that follow, in a process of their own. Arguments: port, how many, and the dialect. Tells when each
 * has its first message; then, for each text that is expected, when it has come to all.
 */
import type { FollowerAnswer, FollowerQuestion } from "./shared-follower-process.ts";
import { followerWires, type FollowerDialect } from "./shared-wires.ts";

const [portText, countText, dialect] = process.argv.slice(2);
const count = Number(countText);
const wire = followerWires[dialect as FollowerDialect];
const atOnce = 64;

/** Undefined for the first message, which is not compared. */
let wanted: Uint8Array | undefined;
let received = 0;
let opening = 0;
let isResting = false;

function receive(message: Uint8Array): void {
  if (wanted !== undefined && Buffer.compare(wanted, message) !== 0)
    throw new Error(`not what was published: ${Buffer.from(message).toString()}`);
  if (++received > count) throw new Error("a message has come twice");
  if (received === count) tell({ received });
}

function tell(answer: FollowerAnswer): void {
  process.send?.(answer);
}

async function followSome(): Promise<void> {
  while (opening < count) {
    opening++;
    await wire.follow({
      port: Number(portText),
      received: receive,
      failed: (error) => {
        if (!isResting) throw error;
      },
    });
  }
}

process.on("message", (message) => {
  const question = message as FollowerQuestion;
  if (question.ask === "expect") {
    received = 0;
    wanted = wire.encode(question.text);
  } else {
    isResting = true;
  }
  tell({});
});
process.on("disconnect", () => process.exit());
await Promise.all(Array.from({ length: atOnce }, followSome));
