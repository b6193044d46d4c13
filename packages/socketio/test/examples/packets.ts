import { Decoder, Encoder, PacketType } from "@sluice/socketio";

const messages = new Encoder().encode({
  type: PacketType.EVENT,
  nsp: "/chat",
  id: 12,
  data: ["photo", { of: "ada", image: new Uint8Array([1, 2, 3]) }],
});
console.log(messages[0]);

const decoder = new Decoder();
for (const message of messages) {
  const packet = decoder.add(typeof message === "string" ? message : Buffer.from(message));
  if (packet !== undefined) console.log(packet.nsp, packet.id, packet.data);
}
