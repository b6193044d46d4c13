/**
 * The process under measure: one subject, and a control channel over IPC on which each question gets one answer.
 * Started with the subject's name as its argument.
 */
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
      return (await import("./subjects/sluice.ts")).createSluiceSubject(name === "sluice+prepared");
  }
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
      subject.broadcast(payloadOf(question.bytes), question.times);
      return {};
  }
}

let payload = Buffer.alloc(0);

function payloadOf(bytes: number): Buffer {
  if (payload.length !== bytes) payload = Buffer.alloc(bytes, "sluice ");
  return payload;
}

const subject = await createSubject(subjectNameFrom(process.argv[2]));
const port = await subject.listen();
process.on("message", (question) => process.send?.(answer(subject, question as Question)));
process.on("disconnect", () => process.exit());
process.send?.({ port } satisfies Answer);
