import {
  type Broker,
  type BrokerReceiver,
  type HistoryPage,
  type HistoryRequest,
  MemoryBroker,
  type Publication,
  type Published,
  type PublishRequest,
} from "../../src/index.ts";

/** A broker whose publications arrive when a test says so, or not at all. */
export class UnreliableBroker implements Broker {
  /** What has not arrived yet, in order. */
  readonly waiting: Publication[] = [];
  /** Called for each publication that waits. */
  whenWaiting: () => void = () => undefined;
  /** What a history waits for. */
  historyGate: Promise<void> | undefined;
  /** Everything that is asked for fails with it. */
  failure: Error | undefined;
  /** How often a history was asked for. */
  histories = 0;
  readonly #inner: Broker;
  readonly #subscribed = new Set<string>();
  #receiver: BrokerReceiver = () => undefined;
  #interrupted: () => void = () => undefined;

  constructor(inner: Broker = new MemoryBroker()) {
    this.#inner = inner;
  }

  attach(receiver: BrokerReceiver, interrupted: () => void): void {
    this.#receiver = receiver;
    this.#interrupted = interrupted;
    this.#inner.attach((publication) => {
      this.waiting.push(publication);
      this.whenWaiting();
    }, interrupted);
  }

  async subscribe(room: string): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.#subscribed.add(room);
    await this.#inner.subscribe(room);
  }

  async unsubscribe(room: string): Promise<void> {
    this.#subscribed.delete(room);
    for (let index = this.waiting.length - 1; index >= 0; index--) {
      if (this.waiting[index]?.room === room) this.waiting.splice(index, 1);
    }
    await this.#inner.unsubscribe(room);
    if (this.failure !== undefined) throw this.failure;
  }

  async publish(request: PublishRequest): Promise<Published> {
    if (this.failure !== undefined) throw this.failure;
    return this.#inner.publish(request);
  }

  async history(room: string, request: HistoryRequest): Promise<HistoryPage> {
    this.histories++;
    const page = await this.#inner.history(room, request);
    await this.historyGate;
    if (this.failure !== undefined) throw this.failure;
    return page;
  }

  async close(): Promise<void> {
    this.#receiver = () => undefined;
    await this.#inner.close();
  }

  /** Lets the next ones arrive. */
  deliver(count = 1): void {
    for (const publication of this.waiting.splice(0, count)) {
      if (this.#subscribed.has(publication.room)) this.#receiver(publication);
    }
  }

  /** Lets the next ones get lost. */
  lose(count = 1): void {
    this.waiting.splice(0, count);
  }

  /** Tells the node that some may have got lost. */
  interrupt(): void {
    this.#interrupted();
  }
}
