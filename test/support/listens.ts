/** Whether somebody accepts connections at an endpoint's address. */
import { createConnection } from "node:net";

export async function listens(endpoint: string): Promise<boolean> {
  const { hostname, port } = new URL(endpoint);
  return await new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port) }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
