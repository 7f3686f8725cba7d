/** `pause`: has a daemon's job send nothing more for now, and waits until nothing is under way. */
import type { Io } from "../../io.js";
import { type OrderArguments, orderUntil } from "../orders.js";
import { openAnySession, type SessionArguments } from "../session.js";

export async function run(args: OrderArguments & SessionArguments, io: Io): Promise<number> {
  return await orderUntil(await openAnySession(args, io), args, { order: "pause", state: "paused" });
}
