/** Free ports of loopback. */
import type { Server } from 'node:net';

/** Makes a server, HTTP or not, listen on a free port of 127.0.0.1; the port. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('a server that listens has no address');
  return address.port;
}
