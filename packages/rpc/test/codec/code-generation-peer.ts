/** Says whether this process may generate code, and what a codec made with `createCodec` does. */
import { ApiSchema } from "@bufbuild/protobuf/wkt";
import { mayGenerate } from "../../src/codec/compiled/scope.ts";
import { createCodec } from "../../src/codec/create-codec.ts";

const codec = createCodec(ApiSchema);
const text = codec.jsonFromBytes(codec.bytesFromJson({ methods: [{ name: "b" }], name: "a" }));
console.log(JSON.stringify({ generates: mayGenerate(), text }));
