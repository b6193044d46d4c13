/**
 * The stock client, which polls and moves to a WebSocket, one at a time. Arguments: port, and how often. Tells how many
 * milliseconds each upgrade took: from the end of the handshake by polling to the end of the upgrade.
 */
import { io } from "socket.io-client";

const [port, times] = process.argv.slice(2);

function upgrade(): Promise<number> {
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

const milliseconds: number[] = [];
while (milliseconds.length < Number(times)) milliseconds.push(await upgrade());
process.send?.(milliseconds);
process.disconnect();
