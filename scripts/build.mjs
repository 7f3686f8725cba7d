/** `npm run build`: `src` compiled to `dist`. Also run before the package is packed. */
import { build } from "./bootstrap.mjs";

const { status, output } = await build();
if (output !== "") console.log(output);
process.exitCode = status;
