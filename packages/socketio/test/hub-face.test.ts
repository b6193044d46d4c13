import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, test } from "node:test";
import { Message, Publication } from "@sluice/hub";
import { EventDelivery } from "../src/hub/event-delivery.ts";
import { argumentsOf } from "../src/hub/event-content.ts";
import { NamespaceFace } from "../src/hub/namespace-face.ts";
import { hubRoomOf, roomOfHub } from "../src/hub/room-names.ts";
import { RoomTurns } from "../src/hub/room-turns.ts";
import { Encoder, PacketType } from "../src/index.ts";
import { serverMsgpack } from "./support/stock-clients.ts";

const messages: readonly (readonly [what: string, message: Message])[] = [
  ["a text", new Message({ data: 'a "text"\n', type: "e" })],
  ["bytes", new Message({ data: Buffer.from("00ff", "hex"), type: "e" })],
  ["JSON", new Message({ data: '{"a":[1,"]"]}', isJson: true, type: 'an "event"' })],
  ["a list", new Message({ data: '[1,{"a":[]}]', isList: true, type: "e" })],
  ["a list of nothing", new Message({ data: "[]", isList: true })],
  ["a list that is none", new Message({ data: "7", isList: true })],
  ["a name that is Socket.IO's", new Message({ data: "x", type: "disconnecting" })],
];

describe("The frame of a message", () => {
  for (const namespace of ["/", "/chat"]) {
    for (const [what, message] of messages) {
      test(`is the packet of an event in ${namespace}, for ${what}`, () => {
        const isOwn = message.type === "" || message.type === "disconnecting";
        const data = [isOwn ? "message" : message.type, ...argumentsOf(message)];
        for (const offset of ["", "next.1"]) {
          const face = new NamespaceFace(namespace, new Encoder(), offset === "" ? undefined : () => offset);
          const frame = face.publication(new Publication({ room: "r", message, publishedAt: 1 }));
          const event = offset === "" ? data : [...data, offset];
          assert.deepEqual(
            frame.messages.map((each) => each.data),
            [...new Encoder().encode({ type: PacketType.EVENT, nsp: namespace, data: event })],
          );
          assert.deepEqual([frame.offset, frame.data], [offset, data]);
        }
      });
    }
  }

  test("is the encoder's of another parser", () => {
    const encoder = new serverMsgpack.Encoder();
    const face = new NamespaceFace("/", encoder, undefined);
    const { messages: made } = face.message(new Message({ data: '["a",1]', isList: true, type: "e" }));
    const expected = encoder.encode({ type: PacketType.EVENT, nsp: "/", data: ["e", "a", 1], id: undefined });
    assert.deepEqual(
      made.map(({ data }) => data),
      [...expected],
    );
  });
});

describe("An event of the application", () => {
  const packet = { type: PacketType.EVENT, data: ["e", Buffer.from("hi"), { a: 1 }] };

  test("is what it is on its own face, and a message on others", () => {
    const face = new NamespaceFace("/", new Encoder(), undefined);
    const delivery = new EventDelivery(face, face.event(packet));
    assert.equal(delivery.frameFor(face), delivery.frameFor(face));
    assert.equal(face.event(packet).messages.length, 2);
    assert.deepEqual([delivery.message.data, delivery.message.isList], ['["aGk=",{"a":1}]', true]);
    const other = { name: "other", message: ({ data }: Message) => data, publication: () => "" };
    assert.equal(delivery.frameFor(other), '["aGk=",{"a":1}]');
    assert.ok(delivery.bytes > 64);
  });

  test("that asks for an answer has no offset, and may be one sender's alone", () => {
    const face = new NamespaceFace("/", new Encoder(), () => "offset");
    assert.equal(face.event({ ...packet, data: ["e"] }).offset, "offset");
    const frame = face.event({ ...packet, data: ["e"], id: 7 }).onlyFor(face);
    assert.deepEqual([frame.offset, frame.only, frame.messages[0]?.data], ["", face, '27["e"]']);
  });
});

test("Rooms of namespaces have names of their own in the hub", () => {
  assert.deepEqual([hubRoomOf("/", "r"), hubRoomOf("/chat", "r")], ["r", "/chat#r"]);
  assert.deepEqual(
    [
      roomOfHub("/", "r"),
      roomOfHub("/chat", "/chat#r"),
      roomOfHub("/chat", "r"),
      roomOfHub("/chat", "/chats#r"),
    ],
    ["r", "r", undefined, undefined],
  );
});

test("No room of a namespace is one of another, whatever their names", () => {
  const names = [
    "r",
    "",
    "#",
    "%",
    "/",
    "/#",
    "/chat",
    "/chat#r",
    "/#/chat#r",
    "#r",
    "b#r",
    "/%23",
    "/a%23b#r",
  ];
  const namespaces = ["/", "/#", "/chat", "/chat#", "/chat#b", "/chat%23b", "/a#b", "/a%23b", "/a%25", "//"];
  const hubRooms = new Map<string, string>();
  for (const namespace of namespaces) {
    for (const room of names) {
      const hubRoom = hubRoomOf(namespace, room);
      assert.equal(hubRooms.get(hubRoom), undefined, `${namespace} ${room} is ${hubRoom}`);
      hubRooms.set(hubRoom, `${namespace} ${room}`);
      for (const each of namespaces) {
        assert.equal(roomOfHub(each, hubRoom), each === namespace ? room : undefined, `${each} ${hubRoom}`);
      }
    }
  }
  assert.equal(hubRoomOf("/", "/news/today"), "/news/today");
  assert.equal(roomOfHub("/", "/#r"), undefined);
});

test("What waits for its turn in a room is done in order, and what need not wait at once", async () => {
  const turns = new RoomTurns();
  const done: string[] = [];
  const at = (what: string) => (): Promise<void> => {
    done.push(what);
    return Promise.resolve();
  };
  await turns.run("a", at("at once"));
  assert.deepEqual(done, ["at once"]);
  const gate = new EventEmitter();
  // A failure holds up nobody.
  turns.add(
    "a",
    once(gate, "open").then(() => Promise.reject(new Error("failed"))),
  );
  const rest = [turns.run("a", at("first")), turns.run("a", at("second"))];
  void turns.run("b", at("elsewhere"));
  assert.deepEqual(done, ["at once", "elsewhere"]);
  gate.emit("open");
  await Promise.all(rest);
  assert.deepEqual(done, ["at once", "elsewhere", "first", "second"]);
});
