import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Message, Publication } from "../src/index.ts";
import { FakeFace } from "./support/fake-link.ts";

describe("a message", () => {
  test("is made of a text, bytes, or all that it has", () => {
    const text = Message.from("é");
    assert.deepEqual(
      [text.data, text.isJson, text.type, text.from, text.contentBytes, text.room],
      ["é", false, "", 0, 2, ""],
    );
    assert.equal(text.message, text);
    assert.equal(Message.from(text), text);
    const bytes = Uint8Array.of(1, 2, 3);
    assert.equal(Message.from(bytes).data, bytes);
    assert.equal(Message.from(bytes).contentBytes, 3);
    const all = Message.from({ data: "{}", isJson: true, type: "7", from: 9 });
    assert.deepEqual([all.data, all.isJson, all.type, all.from], ["{}", true, "7", 9]);
    assert.equal(all.contentBytes, 3);
    assert.equal(all.isList, false);
    const list = Message.from({ data: "[1,2]", isList: true });
    assert.deepEqual([list.isJson, list.isList], [true, true]);
  });

  test("is made into one frame for each face, and another as a publication", () => {
    const faces = [new FakeFace("a"), new FakeFace("b"), new FakeFace("c")];
    const message = Message.from("x");
    const publication = new Publication({ room: "r", message, publishedAt: 5 });
    for (let turn = 0; turn < 2; turn++) {
      for (const face of faces) {
        assert.equal(message.frameFor(face), "x");
        assert.equal(publication.frameFor(face), "r#0:x");
      }
    }
    assert.deepEqual(
      faces.map(({ encoded }) => encoded),
      [2, 2, 2],
    );
  });

  test("has a place in a room as a publication", () => {
    const publication = new Publication({ room: "r", message: { data: "x" }, publishedAt: 5 });
    const { room, epoch, offset, publishedAt, except } = publication;
    assert.deepEqual([room, epoch, offset, publishedAt, except], ["r", "", 0, 5, ""]);
    assert.ok(publication.message instanceof Message);
  });
});
