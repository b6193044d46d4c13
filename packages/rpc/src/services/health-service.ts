import { create, fromBinary, toBinary, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { Code } from "@sluice/protocol";
import { createStatus } from "../call/status.ts";
import { methodFrom } from "../schema/schema.ts";
import { ownRegistry } from "../schema/well-known-files.ts";
import type { ServiceMethod } from "./service-backend.ts";

/** The states of grpc.health.v1.HealthCheckResponse. */
export const ServingStatus = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;
export type ServingStatus = (typeof ServingStatus)[keyof typeof ServingStatus];

/** Who knows how services are. */
export interface HealthSource {
  /** The state of a service by its full name, of the whole gateway for an empty one; undefined: not known. */
  status(service: string): ServingStatus | undefined;
  /** Calls `listener` after any change; the function that it returns ends that. */
  onChange(listener: () => void): () => void;
}

type HealthCheckRequest = Message & { service: string };
type HealthCheckResponse = Message & { status: ServingStatus };

/**
 * The methods of grpc.health.v1.Health, by path.
 * Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export function createHealthService(source: HealthSource): ReadonlyMap<string, ServiceMethod> {
  const service = ownRegistry().getService("grpc.health.v1.Health");
  if (service === undefined) throw new Error("the descriptors of grpc.health.v1 are missing");
  const [check, watch] = service.methods.map(methodFrom);
  if (check === undefined || watch === undefined) throw new Error("grpc.health.v1.Health lacks a method");
  const input = check.input as unknown as GenMessage<HealthCheckRequest>;
  const output = check.output as unknown as GenMessage<HealthCheckResponse>;
  const answer = (status: ServingStatus): Uint8Array => toBinary(output, create(output, { status }));

  const checkMethod: ServiceMethod = (call) => {
    let name = "";
    return {
      message: (bytes) => {
        const request = parse(input, bytes);
        if (request === undefined) call.end(malformed);
        else name = request.service;
      },
      halfClose: () => {
        const status = source.status(name);
        if (status === undefined) {
          call.end(createStatus(Code.NOT_FOUND, `the gateway has no service ${name}`));
          return;
        }
        call.send(answer(status));
        call.end();
      },
    };
  };

  const watchMethod: ServiceMethod = (call) => {
    let stop: (() => void) | undefined;
    return {
      message: (bytes) => {
        const request = parse(input, bytes);
        if (request === undefined) {
          call.end(malformed);
          return;
        }
        let last: ServingStatus | undefined;
        const tell = (): void => {
          const status = source.status(request.service) ?? ServingStatus.SERVICE_UNKNOWN;
          if (status !== last) call.send(answer((last = status)));
        };
        stop?.();
        stop = source.onChange(tell);
        tell();
      },
      halfClose: () => undefined,
      cancelled: () => stop?.(),
    };
  };
  return new Map([
    [check.path, checkMethod],
    [watch.path, watchMethod],
  ]);
}

const malformed = createStatus(Code.INVALID_ARGUMENT, "the request is not a HealthCheckRequest");

function parse<M extends Message>(type: GenMessage<M>, bytes: Uint8Array): M | undefined {
  try {
    return fromBinary(type, bytes);
  } catch {
    return undefined;
  }
}
