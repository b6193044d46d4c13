import type { Connection, ConnectionState } from "@sluice/client";
import { find } from "./elements.ts";

/** Shows how the connection is, from now on. */
export function showConnection(connection: Connection): void {
  const bar = find("connection");
  const [text, countdown, retry] = [find("state"), find("countdown"), find("retry")];
  let openings = connection.state.kind === "open" ? 1 : 0;
  let ticking: ReturnType<typeof setInterval> | undefined;

  const show = (state: ConnectionState): void => {
    clearInterval(ticking);
    if (state.kind === "open") openings++;
    bar.dataset["state"] = state.kind;
    text.textContent = describe(state, openings);
    bar.title = state.kind === "waiting" ? state.reason : connection.url;
    retry.hidden = state.kind !== "waiting";
    countdown.textContent = "";
    if (state.kind === "waiting") ticking = countDown(countdown, state.delayMs);
  };
  retry.addEventListener("click", () => connection.connect());
  connection.subscribe(show);
  show(connection.state);
}

function describe(state: ConnectionState, openings: number): string {
  const reconnects = openings - 1;
  switch (state.kind) {
    case "idle":
    case "closed":
      return "Not connected";
    case "connecting":
      return openings === 0 ? "Connecting…" : "Connecting again…";
    case "open":
      if (reconnects === 0) return "Connected";
      return `Connected again (${reconnects === 1 ? "reconnected once" : `reconnected ${reconnects} times`})`;
    case "waiting":
      return openings === 0 ? "The gateway cannot be reached." : "The connection was lost.";
  }
}

function countDown(element: HTMLElement, delayMs: number): ReturnType<typeof setInterval> {
  const due = performance.now() + delayMs;
  const show = (): void => {
    const seconds = Math.max(0, Math.ceil((due - performance.now()) / 1000));
    element.textContent = `Next try in ${seconds} s.`;
  };
  show();
  return setInterval(show, 250);
}
