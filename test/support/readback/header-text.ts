/** Header values as text: Node reads headers as Latin-1, and S3 writes what is not ASCII in the words of RFC 2047. */

export function headerText(value: string): string {
  const bytes = Buffer.from(value, "latin1");
  const text = bytes.toString("utf8");
  const raw = Buffer.from(text, "utf8").equals(bytes) ? text : value;
  const words = raw.replaceAll(/(=\?utf-8\?[bq]\?[^?]*\?=)\s+(?==\?utf-8\?)/giu, "$1");
  return words.replaceAll(/(?:=\?utf-8\?[bq]\?[^?]*\?=)+/giu, (run) => {
    const parts = [...run.matchAll(/=\?utf-8\?([bq])\?([^?]*)\?=/giu)];
    return Buffer.concat(parts.map(([, form = "", content = ""]) => decoded(form, content))).toString("utf8");
  });
}

function decoded(form: string, content: string): Buffer {
  if (form.toLowerCase() === "b") return Buffer.from(content, "base64");
  const bytes = content.replaceAll("_", " ").replaceAll(/=([0-9A-Fa-f]{2})/gu, (_escape, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  return Buffer.from(bytes, "latin1");
}
