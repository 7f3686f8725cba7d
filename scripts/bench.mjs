/** `npm run bench`: makes a clean clone ready, then runs bench/main.ts in this process. */
import { runHere } from "./run-here.mjs";

await runHere(async () => (await import("../bench/main.js")).bench);
