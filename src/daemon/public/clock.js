/** The daemon's time: this device's clock, put right by the time that the daemon's answers carry. */

/** A `Date` header tells whole seconds, and an answer takes a while. */
const TOLERANCE_MS = 3000;

let offsetMs = 0;

/** Milliseconds since 1970, by the daemon's clock. */
export function now() {
  return deviceNow() + offsetMs;
}

/** @param {string | null} header of an answer that came just now */
export function learnTime(header) {
  const told = Date.parse(header ?? "");
  if (Number.isNaN(told)) return;
  const difference = told - deviceNow();
  offsetMs = Math.abs(difference) < TOLERANCE_MS ? 0 : difference;
}

function deviceNow() {
  // eslint-disable-next-line no-restricted-properties -- a browser has no other clock, and this is its one home here
  return Date.now();
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal ends the wait early; nothing is thrown
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/**
 * Calls again and again until the signal aborts, the first time after the pause.
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {() => void} call
 */
export function every(ms, signal, call) {
  const timer = setInterval(call, ms);
  signal.addEventListener("abort", () => clearInterval(timer));
}
