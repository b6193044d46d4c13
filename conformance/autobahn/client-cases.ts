/**
 * Connects to `url`, gives every message to `onMessage` with a function that sends a message of the same kind back, and
 * resolves when the connection has closed, however it closed.
 */
export type ConnectAndServe = (
  url: string,
  onMessage: (data: Buffer, reply: (data: Buffer) => void) => void,
) => Promise<void>;

/**
 * What a client under test does: asks the suite's server for the number of cases, echoes through each of them, and has
 * the reports written. The server's URL and the agent's name are the arguments of the process.
 */
export async function runClientCases(connect: ConnectAndServe): Promise<void> {
  const [url = "", agent = ""] = process.argv.slice(2);
  let count = 0;
  await connect(`${url}/getCaseCount`, (data) => {
    count = Number(data.toString());
  });
  for (let number = 1; number <= count; number++) {
    await connect(`${url}/runCase?case=${number}&agent=${agent}`, (data, reply) => reply(data));
  }
  await connect(`${url}/updateReports?agent=${agent}`, () => {});
}
