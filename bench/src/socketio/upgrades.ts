/**
 * The stock client, which polls and moves to a WebSocket, one at a time. Arguments: how often, and the ports of the servers,
 * which take turns. Tells for each of them how many milliseconds each upgrade took: from the end of the handshake by
 * polling to the end of the upgrade.
 */
import { io } from "socket.io-client";

const [times, ...ports] = process.argv.slice(2);
/** The first ones load and compile what they need, here and in the servers. */
const uncounted = 10;

function upgrade(port: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = io(`http://127.0.0.1:${port}`, { forceNew: true, reconnection: false });
    const { io: manager } = socket;
    manager.on("error", reject);
    manager.on("open", () => {
      const start = performance.now();
      manager.engine.once("upgrade", () => {
        const took = performance.now() - start;
        socket.disconnect();
        resolve(took);
      });
    });
  });
}

const milliseconds: number[][] = ports.map(() => []);
for (let time = -uncounted; time < Number(times); time++) {
  for (const [index, port] of ports.entries()) {
    const took = await upgrade(port);
    if (time >= 0) milliseconds[index]?.push(took);
  }
}
process.send?.(milliseconds);
process.disconnect();
