/** Who is let in: the host that was called, the page that asks, and the token. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../../support/clock.js";
import { Fault } from "../fault.js";
import type { Client } from "../services.js";
import { arrivalOf } from "./arrivals.js";
import { FailedAuthentications } from "./failures.js";
import { assertOwnHost } from "./hosts.js";
import { clientOf, mayDo, type Token } from "./tokens.js";

/** Whoever may open the Unix socket may everything: its rights are what guards it. */
export const SOCKET_CLIENT: Client = { name: "socket", role: "destroy" };

export interface DoorkeeperInit {
  readonly tokens: readonly Token[];
  readonly clock: Pick<Clock, "monotonic">;
  /** Told of every token that is none of ours. */
  readonly onRefusal: () => void;
}

export class Doorkeeper {
  readonly #tokens: readonly Token[];
  readonly #failures: FailedAuthentications;
  readonly #onRefusal: () => void;

  constructor({ tokens, clock, onRefusal }: DoorkeeperInit) {
    this.#tokens = tokens;
    this.#failures = new FailedAuthentications(clock);
    this.#onRefusal = onRefusal;
  }

  /** @throws Fault BAD_REQUEST, FORBIDDEN */
  assertOwn({ raw }: FastifyRequest): void {
    const { localAddress, localPort } = raw.socket;
    const { host, origin } = raw.headers;
    assertOwnHost({ host, origin, localAddress, localPort }, arrivalOf(raw).way);
  }

  /** Undefined where the route asks nobody. @throws Fault UNAUTHORIZED, TOO_MANY_REQUESTS, FORBIDDEN */
  clientOf(request: FastifyRequest, reply: FastifyReply): Client | undefined {
    const { role } = request.routeOptions.config;
    if (role === "anyone") return undefined;
    const client = this.#authenticated(request, reply);
    if (role === undefined || !mayDo(client, role)) {
      throw new Fault(
        "FORBIDDEN",
        `the token "${client.name}" may ${client.role}, and this takes one that may ${role}`,
      );
    }
    return client;
  }

  #authenticated({ raw }: FastifyRequest, reply: FastifyReply): Client {
    const { authorization } = raw.headers;
    if (authorization === undefined && arrivalOf(raw).way.kind === "socket") return SOCKET_CLIENT;
    const client = authorization === undefined ? undefined : clientOf(authorization, this.#tokens);
    if (client !== undefined) return client;
    void reply.header("www-authenticate", "Bearer");
    // Who sent no token guessed at none: a page asks so whether one is needed.
    if (authorization === undefined) throw unauthorized();
    this.#onRefusal();
    const seconds = this.#failures.add(raw.socket.remoteAddress ?? "socket");
    if (seconds === undefined) throw unauthorized();
    void reply.header("retry-after", String(seconds)).header("connection", "close");
    throw new Fault("TOO_MANY_REQUESTS", "too many tokens from this address were wrong", {
      hint: `Wait ${seconds} s, and check the token.`,
    });
  }
}

function unauthorized(): Fault {
  return new Fault("UNAUTHORIZED", "this takes the token of a client", {
    hint: "Send the header Authorization: Bearer TOKEN, with one of `daemon.tokens`.",
  });
}

/** Of a route that asks for one: the doorkeeper lets nobody else through. */
export function known(client: Client | undefined): Client {
  if (client === undefined) throw unauthorized();
  return client;
}

/** Of a route that takes none. @throws Fault BAD_REQUEST */
export function assertNoBody(body: unknown): void {
  if (body !== undefined && body !== null) throw new Fault("BAD_REQUEST", "this takes no body");
}
