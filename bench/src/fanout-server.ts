/**
 * The process under measure: one subject, and a control channel over IPC on which each question gets one answer.
 * Started with the subject's name as its argument.
 */
import { createFanoutMessage } from "./fanout-message.ts";
import type { FanoutServerAnswer, FanoutServerQuestion } from "./fanout-server-process.ts";
import type { FanoutSubject } from "./fanout-subject.ts";
import { fanoutSubjectNameFrom, type FanoutSubjectName } from "./fanout-wires.ts";

async function createSubject(name: FanoutSubjectName): Promise<FanoutSubject> {
  // Imported on demand: a process loads only the library that it measures.
  switch (name) {
    case "net":
      return (await import("./fanout-subjects/net.ts")).createNetSubject();
    case "ws":
      return (await import("./fanout-subjects/ws.ts")).createWsSubject();
    case "socket.io":
      return (await import("./fanout-subjects/socket-io.ts")).createSocketIoSubject();
    case "hub":
    case "hub+session":
      return (await import("./fanout-subjects/hub.ts")).createHubSubject();
  }
}

let sequence = 0;

function answer(subject: FanoutSubject, question: FanoutServerQuestion): FanoutServerAnswer {
  switch (question.ask) {
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return { cpu: user + system };
    }
    case "memory": {
      globalThis.gc?.();
      globalThis.gc?.();
      const { rss, heapUsed, external } = process.memoryUsage();
      return { rss, used: heapUsed + external };
    }
    case "members":
      return { members: subject.members() };
    case "publish":
      subject.publish(Array.from({ length: question.times }, () => createFanoutMessage(sequence++)));
      return {};
  }
}

const subject = await createSubject(fanoutSubjectNameFrom(process.argv[2]));
const port = await subject.listen();
process.on("message", (question) => process.send?.(answer(subject, question as FanoutServerQuestion)));
process.on("disconnect", () => process.exit());
process.send?.({ port } satisfies FanoutServerAnswer);
