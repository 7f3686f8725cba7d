/** Server-sent events out of the text in which they come, however it is cut. */

export interface SentEvent {
  readonly id?: string;
  readonly event: string;
  readonly data: string;
}

/** Of one event. A stream that never ends one would fill the memory. */
const MOST_CHARS = 16 * 1024 * 1024;

/** Ends with the text; an event that is not whole by then is none. @throws Error for one that is too large */
export async function* sentEvents(text: AsyncIterable<string>): AsyncGenerator<SentEvent> {
  let rest = "";
  let fields: string[] = [];
  for await (const part of text) {
    rest += part;
    // Of a line break in two characters, the second may still be on its way.
    for (let end = LINE_END.exec(rest); end !== null && !isOpen(end, rest); end = LINE_END.exec(rest)) {
      const line = rest.slice(0, end.index);
      rest = rest.slice(end.index + end[0].length);
      if (line !== "") {
        fields.push(line);
        continue;
      }
      const event = eventOf(fields);
      fields = [];
      if (event !== undefined) yield event;
    }
    if (rest.length + fields.reduce((sum, { length }) => sum + length, 0) > MOST_CHARS) {
      throw new Error("an event is larger than is taken here");
    }
  }
}

const LINE_END = /\r\n|\n|\r/;

function isOpen({ 0: found, index }: RegExpExecArray, text: string): boolean {
  return found === "\r" && index === text.length - 1;
}

/** Undefined where nothing is told: a heartbeat, or the time between two connections. */
function eventOf(fields: readonly string[]): SentEvent | undefined {
  const values = (name: string) => fields.filter((line) => nameOf(line) === name).map(valueIn);
  const data = values("data");
  if (data.length === 0) return undefined;
  const id = values("id").at(-1);
  return { event: values("event").at(-1) ?? "message", data: data.join("\n"), ...(id === undefined ? {} : { id }) };
}

function nameOf(line: string): string {
  return line.split(":", 1)[0] ?? "";
}

function valueIn(line: string): string {
  const at = line.indexOf(":");
  return at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
}
