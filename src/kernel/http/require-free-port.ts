import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { listen } from './listen.ts'

const NOBODY = { fetch: () => new Response(undefined, { status: 503 }) }

/**
 * Before the first start in a directory: refuses a port that another program has, so that nothing is made for a server that could
 * not serve. The door itself is opened last, and finds whoever takes the port in between.
 *
 * @throws Fault `fault.port_in_use`, `fault.configuration`
 */
export async function requireFreePort(
  directory: string,
  place: { readonly host: string; readonly port: number },
): Promise<void> {
  // Where a server was started before, that it runs already is the better answer, and the lock gives it.
  if (existsSync(join(directory, 'version'))) return
  await using door = await listen(NOBODY, place)
  void door
}
