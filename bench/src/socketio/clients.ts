/** Many clients of one server in a process of their own. Arguments: port, and how many. Tells when all are connected. */
import { type ExchangeName, SocketIoClient } from "./client.ts";
import type { ClientsQuestion } from "./clients-process.ts";

const [portText, countText] = process.argv.slice(2);
const count = Number(countText);
const atOnce = 64;
/** So many have something under way at a time. */
const askers = 200;

/** Those who have nothing under way; who has waited longest is first. */
const idle: SocketIoClient[] = [];
let asked: ExchangeName = "echo";
/** Exchanges that are still to begin. */
let left = 0;
/** Answers that have not come; or events, to all together. */
let missing = 0;

/** What was asked for has come. */
function tell(): void {
  process.send?.({});
}

const listener = {
  told(): void {
    if (--missing === 0) tell();
  },
  answered(client: SocketIoClient): void {
    idle.push(client);
    if (left > 0) askNext();
    if (--missing === 0) tell();
  },
};

async function connectSome(): Promise<void> {
  while (idle.length + connecting < count) {
    connecting++;
    idle.push(await SocketIoClient.connect(Number(portText), listener));
    connecting--;
  }
}

function askNext(): void {
  left--;
  idle.shift()?.ask(asked);
}

let connecting = 0;
await Promise.all(Array.from({ length: atOnce }, connectSome));

process.on("message", (message) => {
  const question = message as ClientsQuestion;
  switch (question.ask) {
    case "expect":
      missing = count * question.events;
      tell();
      break;
    case "exchange":
      asked = question.name;
      left = question.times;
      missing = left;
      for (let asker = Math.min(left, askers); asker > 0; asker--) askNext();
  }
});
process.on("disconnect", () => process.exit());
tell();
