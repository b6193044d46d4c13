/**
 * The process under measure: the application on one of the servers, and a control channel over IPC on which each question
 * gets one answer. Started with the server's name as its argument.
 */
import { createFanoutMessage } from "../fanout-message.ts";
import { createApplication } from "./application.ts";
import { type ServerAnswer, type ServerQuestion, socketIoSubjectNameFrom } from "./server-process.ts";

const application = await createApplication(socketIoSubjectNameFrom(process.argv[2]));
let sequence = 0;

function answer(question: ServerQuestion): ServerAnswer {
  switch (question.ask) {
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return { cpu: { total: user + system, user } };
    }
    case "memory": {
      globalThis.gc?.();
      globalThis.gc?.();
      const { rss, heapUsed } = process.memoryUsage();
      return { memory: { rss, heap: heapUsed } };
    }
    case "sockets":
      return { sockets: application.sockets() };
    case "gather":
      application.gather();
      return {};
    case "tell":
      for (let event = 0; event < question.events; event++) {
        application.tell({ ...createFanoutMessage(sequence++) });
      }
      return {};
  }
}

const port = await application.listen();
process.on("message", (question) => process.send?.(answer(question as ServerQuestion)));
process.on("disconnect", () => process.exit());
process.send?.({ port } satisfies ServerAnswer);
