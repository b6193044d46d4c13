import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Hub } from "@sluice/hub";
import { Code } from "@sluice/protocol";
import { createStatus, type ServiceCall, type ServiceListener } from "@sluice/rpc";
import {
  PublishFailureSchema,
  PublishRequestSchema,
  PublishStreamResponseSchema,
  type PublishFailure,
  type PublishRequest,
} from "../generated/sluice/push/v1/push_pb.ts";
import { publish } from "./publish.ts";
import { statusMessageFrom } from "./push-error.ts";

/** Publications of one stream under way, until its client is to pause; it goes on when half of them are left. */
const mostUnderWay = 128;

/** How many failures are told one by one. */
const mostFailures = 100;

/** One call of PublishStream: publishes what comes, in order, and tells the counts at the end. */
export class PublishStream implements ServiceListener {
  readonly #hub: Hub;
  readonly #call: ServiceCall;
  readonly #failures: PublishFailure[] = [];
  #index = 0n;
  #published = 0n;
  #duplicates = 0n;
  #refused = 0n;
  #underWay = 0;
  #isPaused = false;
  #isComplete = false;

  constructor(hub: Hub, call: ServiceCall) {
    this.#hub = hub;
    this.#call = call;
  }

  message(bytes: Uint8Array): boolean {
    let request: PublishRequest;
    try {
      request = fromBinary(PublishRequestSchema, bytes);
    } catch {
      this.#call.end(createStatus(Code.INVALID_ARGUMENT, `message ${this.#index} is not a PublishRequest`));
      return true;
    }
    void this.#publish(this.#index++, request);
    this.#isPaused = this.#underWay >= mostUnderWay;
    return !this.#isPaused;
  }

  halfClose(): void {
    this.#isComplete = true;
    this.#settle();
  }

  async #publish(index: bigint, request: PublishRequest): Promise<void> {
    this.#underWay++;
    try {
      const { duplicate } = await publish(this.#hub, request);
      if (duplicate) this.#duplicates++;
      else this.#published++;
    } catch (error) {
      this.#refused++;
      if (this.#failures.length < mostFailures) {
        this.#failures.push(create(PublishFailureSchema, { index, status: statusMessageFrom(error) }));
      }
    }
    this.#underWay--;
    if (this.#isPaused && this.#underWay <= mostUnderWay / 2) {
      this.#isPaused = false;
      this.#call.drain();
    }
    this.#settle();
  }

  #settle(): void {
    if (!this.#isComplete || this.#underWay > 0) return;
    const response = create(PublishStreamResponseSchema, {
      published: this.#published,
      duplicates: this.#duplicates,
      refused: this.#refused,
      failures: this.#failures,
    });
    this.#call.send(toBinary(PublishStreamResponseSchema, response));
    this.#call.end();
  }
}
