/** The part of dynalite that is used here; the package has no types of its own. */
declare module "dynalite" {
  import type { Server } from "node:http";

  /** Not yet listening. Times are what a table stays in CREATING, DELETING and UPDATING. */
  function dynalite(options: {
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }): Server;
  export = dynalite;
}
