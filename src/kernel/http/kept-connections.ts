import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { monotonicMs } from '../clock.ts'
import { LIMITS } from '../limits.ts'

/** Until when, on the monotonic clock, a connection may be used again. */
const usableUntil = new WeakMap<Duplex, number>()

/**
 * The agent for a request to `url`, with no kept connection in it that the server may be about to close. A server closes one on which
 * nothing came for as long as it announces (`Keep-Alive: timeout=`), and a request that is sent at that moment is lost without an
 * answer. The agent's own timer is too late for this in a process that has computed for seconds, above all where the server shares it.
 */
export function agentFor(url: string): http.Agent {
  const agent = url.startsWith('https:') ? https.globalAgent : http.globalAgent
  const now = monotonicMs()
  dropKept(agent, (socket) => (usableUntil.get(socket) ?? 0) <= now)
  return agent
}

/** Remembers from an answer for how long the connection on which it came may be used again: half as long as its server keeps it. */
export function noteAnswered({ socket, headers }: http.IncomingMessage): void {
  const announced = /(?:^|[,\s])timeout=(\d{1,6})/.exec(String(headers['keep-alive'] ?? ''))?.[1]
  const keptMs = announced === undefined ? LIMITS.unannouncedConnectionMs : Number(announced) * 1_000
  usableUntil.set(socket, monotonicMs() + keptMs / 2)
}

/** Closes all that are kept and idle: where one turned out to be closed, the others probably are. */
export function dropAllKept(): void {
  for (const agent of [http.globalAgent, https.globalAgent]) dropKept(agent, () => true)
}

/**
 * With each that is dropped go those that became idle before it: an agent takes the last one, and passes over closed ones only at the
 * beginning.
 */
function dropKept(agent: http.Agent, isStale: (socket: Duplex) => boolean): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    const last = sockets?.findLastIndex(isStale) ?? -1
    for (const socket of sockets?.slice(0, last + 1) ?? []) socket.destroy()
  }
}
