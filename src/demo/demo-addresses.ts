import type { Session } from '../cli/session.ts'
import { SITES } from './demo-parties.ts'

/** Settings of one server that would reach all four of the demonstration. */
const NOT_PASSED_ON = [
  'HEDGEROW_DATABASE_URL',
  'HEDGEROW_HOST',
  'HEDGEROW_PORT',
  'HEDGEROW_NETWORK_NAME',
  'HEDGEROW_REMOVED_TRANSFER_GROUNDS',
  'HEDGEROW_MEMBER',
  'HEDGEROW_SITE',
]

/** The session of a demonstration whose network listens on a port: everything in it talks to that network. */
export function demoSession(session: Session, port: number): Session {
  const kept = Object.entries(session.environment).filter(([name]) => !NOT_PASSED_ON.includes(name))
  const environment = {
    ...Object.fromEntries(kept),
    HEDGEROW_HOME: session.home,
    HEDGEROW_NETWORK_URL: `http://127.0.0.1:${port}`,
  }
  return { ...session, environment }
}

/** Where the network of the demonstration listens. */
export function networkUrl({ environment }: Session): string {
  return environment['HEDGEROW_NETWORK_URL'] ?? ''
}

/** The port of a site: some way after that of the network. */
export function sitePort(session: Session, id: string): number {
  const offset = SITES.find((site) => site.id === id)?.portOffset ?? 0
  return Number(new URL(networkUrl(session)).port) + offset
}

/** Where a site of the demonstration listens. */
export function siteUrl(session: Session, id: string): string {
  return `http://127.0.0.1:${sitePort(session, id)}`
}
