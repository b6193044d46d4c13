import { join } from "node:path";
import type * as grpc from "@grpc/grpc-js";
import { status as Code } from "@grpc/grpc-js";
import { loadDefinition, serviceOf, sharedProtoFolder } from "./definition.ts";

/** What grpc.health.v1 says of a service. */
export type ServingState = "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";

interface HealthRequest {
  readonly service: string;
}

interface HealthReply {
  readonly status: ServingState;
}

/** The health of a server, as a test wants it; every service is SERVING until it is set. */
export class ServerHealth {
  readonly #states = new Map<string, ServingState>();
  readonly #watchers = new Set<grpc.ServerWritableStream<HealthRequest, HealthReply>>();

  /** Sets the health of a service, of the server as a whole for an empty name, and tells those who watch it. */
  set(service: string, state: ServingState): void {
    this.#states.set(service, state);
    for (const call of this.#watchers) if (call.request.service === service) call.write({ status: state });
  }

  /** Ends the streams of those who watch with UNAVAILABLE; they may come again. */
  endWatches(): void {
    for (const call of this.#watchers) {
      call.emit("error", { code: Code.UNAVAILABLE, details: "the watch was ended" });
    }
  }

  /** Adds grpc.health.v1.Health to a server. */
  addTo(server: grpc.Server): void {
    const name = "grpc.health.v1.Health";
    const file = join(sharedProtoFolder, "grpc", "health", "v1", "health.proto");
    const check: grpc.handleUnaryCall<HealthRequest, HealthReply> = (call, reply) =>
      reply(null, { status: this.#of(call.request.service) });
    const watch: grpc.handleServerStreamingCall<HealthRequest, HealthReply> = (call) => {
      this.#watchers.add(call);
      call.on("close", () => this.#watchers.delete(call));
      call.on("cancelled", () => this.#watchers.delete(call));
      call.write({ status: this.#of(call.request.service) });
    };
    server.addService(serviceOf(loadDefinition(file), name), { Check: check, Watch: watch });
  }

  #of(service: string): ServingState {
    return this.#states.get(service) ?? "SERVING";
  }
}
