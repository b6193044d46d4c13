import { CallError, Code, createJsonClient } from "@sluice/client";
import { EventWebSocket } from "@sluice/websocket";

const client = createJsonClient({
  url: process.env["GATEWAY"] ?? "wss://api.example.com",
  webSocket: EventWebSocket,
});

// One reply: a promise.
const reply = await client.call<{ text: string }>("sluice.test.v1.Echo/Say", { text: "hello" });
console.log(reply.text);

// Many replies: a loop. Leaving it cancels the call.
for await (const { text } of client.stream<{ text: string }>("sluice.test.v1.Echo/Repeat", {
  text: "again",
})) {
  console.log(text);
  break;
}

// Requests one by one, whenever there is something to say.
const talk = client.stream<{ text: string }>("sluice.test.v1.Echo/Converse");
await talk.send({ text: "are you there?" });
console.log((await talk.next()).value?.text);
talk.end();

// What goes wrong is a CallError.
try {
  await client.call("sluice.test.v1.Echo/Sleep", {}, { timeoutMs: 100 });
} catch (error) {
  if (error instanceof CallError && error.code === Code.DEADLINE_EXCEEDED) console.log("too late");
}

client.close();
