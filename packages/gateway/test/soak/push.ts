import { Agent, request } from "node:http";
import type { Body } from "./member.ts";

/** The push API over HTTP. */
export class Push {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(port: number) {
    this.#port = port;
  }

  /** Publishes; answers whether that had been published before. Rejects where the answer is not 200. */
  publish(body: Body): Promise<boolean> {
    const { id, room } = body;
    const call = { room, payload: { text: JSON.stringify(body) }, idempotencyKey: id };
    return new Promise((resolve, reject) => {
      const post = request({
        port: this.#port,
        path: "/v1/push/publications",
        method: "POST",
        headers: { "content-type": "application/json" },
        agent: this.#agent,
      });
      post.on("error", (error) => {
        // A connection that stood idle may end just now; the key has it published once.
        if (post.reusedSocket) this.publish(body).then(resolve, reject);
        else reject(error);
      });
      post.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          if (response.statusCode === 200)
            resolve((JSON.parse(text) as { readonly duplicate?: boolean }).duplicate === true);
          else reject(new Error(`publishing ${id} was answered with ${response.statusCode}: ${text}`));
        });
      });
      post.end(JSON.stringify(call));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
