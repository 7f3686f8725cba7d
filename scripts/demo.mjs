/** `npm run demo`: makes a clean clone ready, then runs demo.ts in this process. */
import { runHere } from "./run-here.mjs";

await runHere(async () => (await import("./demo.js")).demo, { says: "Building …" });
