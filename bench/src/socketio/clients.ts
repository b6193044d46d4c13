/** Many clients of one server in a process of their own. Arguments: port, and how many. Tells when all are connected. */
import { type ExchangeName, SocketIoClient } from "./client.ts";
import type { ClientsAnswer, ClientsQuestion } from "./clients-process.ts";

const [portText, countText] = process.argv.slice(2);
const count = Number(countText);
const atOnce = 64;
/** So many ask again and again, each less often than the limit of events that a server may have. */
const askers = 200;

const clients: SocketIoClient[] = [];
let asked: ExchangeName = "echo";
let deadline = 0;
let exchanges = 0;
/** Clients whose last answer has not come, or to whom an event has not. */
let missing = 0;

function tell(answer: ClientsAnswer): void {
  process.send?.(answer);
}

const listener = {
  told(): void {
    if (--missing === 0) tell({});
  },
  answered(client: SocketIoClient): void {
    exchanges++;
    if (performance.now() < deadline) client.ask(asked);
    else if (--missing === 0) tell({ exchanges });
  },
};

async function connectSome(): Promise<void> {
  while (clients.length + connecting < count) {
    connecting++;
    clients.push(await SocketIoClient.connect(Number(portText), listener));
    connecting--;
  }
}

function ask(some: readonly SocketIoClient[], name: ExchangeName, milliseconds: number): void {
  asked = name;
  deadline = performance.now() + milliseconds;
  exchanges = 0;
  missing = some.length;
  for (const client of some) client.ask(name);
}

let connecting = 0;
await Promise.all(Array.from({ length: atOnce }, connectSome));

process.on("message", (message) => {
  const question = message as ClientsQuestion;
  switch (question.ask) {
    case "expect":
      missing = count;
      tell({});
      break;
    case "once":
      ask(clients, question.name, 0);
      break;
    case "repeat":
      ask(clients.slice(0, askers), question.name, question.milliseconds);
  }
});
process.on("disconnect", () => process.exit());
tell({});
