import { formatComparison } from "./comparison.ts";
import {
  CompressedConversation,
  compressionOffer,
  createCompressedMessages,
} from "./compressed-conversation.ts";
import { contest } from "./contest.ts";
import { EchoLoad } from "./echo-load.ts";
import { createJsonDocuments } from "./json-documents.ts";
import type { BenchOptions } from "./options.ts";
import { ServerProcess } from "./server-process.ts";

const subjects = ["ws+deflate", "sluice+deflate15", "sluice+deflate"] as const;

/** CPU of the server process per echoed message that comes and leaves compressed. Prints two tables. */
export async function benchDeflate(options: BenchOptions): Promise<void> {
  const script = createCompressedMessages(createJsonDocuments(64, 1024));
  const [measured] = await contest(subjects, options, async (name) => {
    const server = await ServerProcess.start(name);
    const load = await EchoLoad.open({
      port: server.port,
      connections: 16,
      upgrade: true,
      extensions: compressionOffer,
      createConversation: () => new CompressedConversation(script),
    });
    return { server, loads: [load] };
  });
  console.log(`Echo of JSON messages of 1 KiB with permessage-deflate, threshold 0 and context takeover; 16 connections, one
message at a time on each. Median (least–most) of the rounds. ws and deflate15 have a window of 32 KiB and
memory level 8, which are the defaults of ws; deflate has those of Sluice, 4 KiB and 5.
`);
  const cases =
    measured === undefined ? [] : [{ name: "1 KiB JSON", ...measured, bars: { "ws+deflate": 0.5 } }];
  console.log(formatComparison("CPU µs per message", ["sluice+deflate15", "sluice+deflate"], cases));
}
