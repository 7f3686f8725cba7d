/**
 * One text for all the ways in which an endpoint of this machine or another can be written, for locks: two restores must
 * not get side by side into one scope because one says `localhost` and the other `127.0.0.1`. By the text alone: a name
 * that leads to an address which is also written as numbers stays another one.
 */

const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  "http:": "80",
  "https:": "443",
  "redis:": "6379",
  "rediss:": "6379",
};
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\])$/;

/** `endpoint`: as labels have it; several of a cluster are separated by commas. */
export function endpointKey(endpoint: string): string {
  return endpoint.split(",").map(keyOf).sort().join(",");
}

function keyOf(one: string): string {
  if (!URL.canParse(one)) return one.toLowerCase();
  const { protocol, hostname, port, pathname } = new URL(one);
  // A path is a file here, whose case counts.
  if (hostname === "") return `${protocol}${pathname}`;
  const host = hostname.toLowerCase();
  const place = LOOPBACK.test(host) ? "loopback" : host;
  return `${protocol}//${place}:${port || (DEFAULT_PORTS[protocol] ?? "")}${pathname.replace(/\/+$/, "")}`;
}
