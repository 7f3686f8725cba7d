/** The part of the AWS SDK's middleware that the clients here use, in types that every command's stack fits. */

export interface MiddlewareStack {
  add(middleware: BuildMiddleware, options: { step: "build"; name: string; priority: "low" }): void;
  add(middleware: DeserializeMiddleware, options: { step: "deserialize"; name: string; priority: "low" }): void;
}

/** After the SDK has serialised a request and before it signs it. */
export type BuildMiddleware = <A extends { request: unknown }, R>(
  next: (args: A) => Promise<R>,
) => (args: A) => Promise<R>;

/** Next to the wire: the first to see an answer. */
export type DeserializeMiddleware = <A, R extends { response: unknown }>(
  next: (args: A) => Promise<R>,
) => (args: A) => Promise<R>;
