/**
 * The process under measure: one subject, and a control channel over IPC on which each question gets one answer.
 * Started with the subject's name as its argument.
 */
import type { CompressionOptions } from "@sluice/websocket";
import { createJsonDocuments } from "./json-documents.ts";
import type { Answer, Question } from "./server-process.ts";
import { subjectNameFrom, type Subject, type SubjectName } from "./subject.ts";

async function createSubject(name: SubjectName): Promise<Subject> {
  // Imported on demand: a process loads only the library that it measures.
  switch (name) {
    case "net":
    case "net+cork":
      return (await import("./subjects/net.ts")).createNetSubject(name === "net+cork");
    case "ws":
    case "ws+bufferutil":
    case "ws+deflate":
      return (await import("./subjects/ws.ts")).createWsSubject(name === "ws+deflate");
    case "sluice":
    case "sluice+prepared":
    case "sluice+deflate":
    case "sluice+deflate15":
    case "sluice+deflate+prepared":
      return (await import("./subjects/sluice.ts")).createSluiceSubject(
        compressionOf(name),
        name.endsWith("prepared"),
      );
  }
}

function compressionOf(name: SubjectName): Partial<CompressionOptions> | false {
  if (name === "sluice+deflate15")
    return { threshold: 0, windowBits: 15, peerWindowBits: 15, memoryLevel: 8 };
  return name.includes("deflate") ? { threshold: 0 } : false;
}

function answer(subject: Subject, question: Question): Answer {
  switch (question.ask) {
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return { user, system };
    }
    case "memory": {
      globalThis.gc?.();
      globalThis.gc?.();
      const { rss, heapUsed, external } = process.memoryUsage();
      return { rss, heap: heapUsed, external };
    }
    case "broadcast":
      subject.broadcast(Array.from({ length: question.times }, () => nextDocument(question.bytes)));
      return {};
  }
}

/** JSON documents that are sent in turn, so that no compressor sees the same one again and again. */
let documents: Buffer[] = [];
let turn = 0;

function nextDocument(bytes: number): Buffer {
  if (documents[0]?.length !== bytes) documents = createJsonDocuments(32, bytes);
  return documents[turn++ % documents.length] ?? Buffer.alloc(bytes);
}

const subject = await createSubject(subjectNameFrom(process.argv[2]));
const port = await subject.listen();
process.on("message", (question) => process.send?.(answer(subject, question as Question)));
process.on("disconnect", () => process.exit());
process.send?.({ port } satisfies Answer);
