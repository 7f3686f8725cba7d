/**
 * Why a server accepts a connection and then falls silent or hangs up: it may speak TLS and the URL does not, or the
 * other way round. A Redis without TLS waits for the end of a line that a TLS greeting never has, one with TLS hangs up
 * on plain words. Asked once a connection has failed so; sends no credentials. Does not promise to know.
 */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import { systemCode } from "../../errors/restore-error.js";
import type { ClientOptions } from "./target-url.js";

/** The cause of a connection that cannot be made with the URL as it is. */
export class WrongScheme extends Error {
  readonly speaksTls: boolean;

  constructor(speaksTls: boolean) {
    super(speaksTls ? "the server speaks TLS only" : "the server speaks no TLS");
    this.name = "WrongScheme";
    this.speaksTls = speaksTls;
  }
}

const ANSWER_MS = 3_000;
/** Of a server that hangs up on what it does not understand. */
const HUNG_UP = new Set(["", "ECONNRESET", "EPIPE"]);

/** `cause`: what ended the connection before it could be used. */
export async function wrongScheme(options: ClientOptions, cause: unknown): Promise<WrongScheme | undefined> {
  const { host, port, tls } = options;
  if (host === undefined || port === undefined) return undefined;
  const code = systemCode(cause) ?? "";
  if (tls === undefined) {
    if (!HUNG_UP.has(code)) return undefined;
    // Nothing is told to whoever answers, so it need not prove who it is.
    const socket = connectTls({ host, port, rejectUnauthorized: false });
    return (await happens(socket, "secureConnect")) ? new WrongScheme(true) : undefined;
  }
  if (code !== "ETIMEDOUT") return undefined;
  const socket = connect({ host, port });
  socket.once("connect", () => socket.write("PING\r\n"));
  return (await happens(socket, "data")) ? new WrongScheme(false) : undefined;
}

/** Whether the event comes before an error, the end, or the time is over. */
async function happens(socket: Socket, event: "secureConnect" | "data"): Promise<boolean> {
  const happened = await new Promise<boolean>((resolve) => {
    socket.once(event, () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.setTimeout(ANSWER_MS, () => resolve(false));
  });
  socket.destroy();
  return happened;
}
