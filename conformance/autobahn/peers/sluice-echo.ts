import type { AcceptOptions } from "@sluice/websocket";

/** Default options, but for what the suite's cases need: size and compression. */
export const echoOptions: AcceptOptions = {
  limits: { maxMessageBytes: 16 * 1024 * 1024 },
  compression: { threshold: 0 },
  handlers: {
    message: (connection, data, isBinary) => {
      if (isBinary) connection.send(data);
      else connection.sendText(data);
    },
  },
};
