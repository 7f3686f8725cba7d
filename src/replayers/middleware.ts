/** The part of the AWS SDK's middleware that the clients here use, in types that every command's stack fits. */

export interface MiddlewareStack {
  add(middleware: DeserializeMiddleware, options: { step: "deserialize"; name: string; priority: "low" }): void;
}

/** Next to the wire: the first to see an answer. */
export type DeserializeMiddleware = <A, R extends { response: unknown }>(
  next: (args: A) => Promise<R>,
) => (args: A) => Promise<R>;
